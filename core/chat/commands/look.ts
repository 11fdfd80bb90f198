import { type BuilderView, nameOf, type SlaveView } from 'boltbot/plugin-sdk'
import type { ChatTools, Command } from '../command.ts'
import { builderLine, buildName, changeLine, endedLine, etaOf, runningLine, span } from '../describe.ts'
import { nothingRuns, unknownName, wrongUsage } from '../errors.ts'
import { type Finder, isBad } from '../find.ts'
import { redStreaks } from '../red-streak.ts'

/** What can be looked at. */
export function lookCommands(tools: ChatTools, find: Finder): readonly Command[] {
  const { query, clock, acks } = tools

  async function statusOf(builder: BuilderView): Promise<readonly string[]> {
    const running = await query.builds({ builder: builder.name, running: true, limit: 10 })
    const lines = running.map((build) => runningLine(build, clock.now()))
    const ack = await acks.of(builder.name)
    const looked = ack === undefined ? '' : ` (${ack.who} is on it${ack.text === '' ? '' : `: ${ack.text}`})`
    return [`${builderLine(builder)}${looked}`, ...lines]
  }

  async function lastOf(builder: BuilderView): Promise<string> {
    const builds = await query.builds({ builder: builder.name, limit: 20 })
    const last = builds.find((build) => build.result !== null)
    return last === undefined ? `${builder.name}: no build has ended yet` : endedLine(last, clock.now())
  }

  /** Whose changes were in the build that broke, of each branch that is red. */
  async function blame({ name }: BuilderView): Promise<readonly string[]> {
    const [branches, streaks] = await Promise.all([query.branches(name), redStreaks(query, name)])
    if (streaks.length === 0) return [`${name} is not broken.`]
    return streaks.map((streak) => {
      const first = streak.at(-1) ?? streak[0]
      const people = [...new Set(first.blamelist.map(nameOf))]
      const where = branches.length > 1 ? ` on ${first.sourceStamp.branch ?? 'the default branch'}` : ''
      const since = `${name} is red${where} since ${buildName(first)}, ${span(clock.now() - (first.finishedAt ?? 0))} ago`
      if (people.length === 0) return `${since}; no change is in that build, so nobody is to blame`
      return `${since}; in that build: ${people.join(', ')}`
    })
  }

  const slaveLine = (slave: SlaveView): string => {
    const heard = slave.lastHeard === null ? 'never seen' : `last heard of ${span(clock.now() - slave.lastHeard)} ago`
    const paused = slave.paused === null ? '' : `, paused by ${slave.paused.by}: ${slave.paused.reason}`
    const away = slave.away === null ? '' : `, away: ${slave.away.reason}`
    const state = slave.connectedAt === null ? `${slave.missing ? 'missing' : 'away'}, ${heard}` : slave.state
    return `${slave.name}: ${state}${paused}${away}`
  }

  async function list(what: string | undefined): Promise<readonly string[]> {
    if (what === 'builders') return (await query.builders()).map(builderLine)
    if (what === 'slaves' || what === 'workers') return (await query.slaves()).map(slaveLine)
    if (what === 'changes') {
      const lines = (await query.changes({ limit: 10 })).map(changeLine)
      return lines.length === 0 ? ['There are no changes yet.'] : lines
    }
    if (what === 'schedulers') {
      const all = await query.schedulers()
      return all.length === 0
        ? ['There are no schedulers.']
        : all.map(({ name, waiting }) => `${name}: ${waiting ?? 'idle'}`)
    }
    if (what === undefined) throw wrongUsage('list builders|slaves|changes|schedulers')
    throw unknownName('list', what, ['builders', 'slaves', 'changes', 'schedulers'])
  }

  async function whyRequest(id: number): Promise<string> {
    const [request, reason] = await Promise.all([query.request(id), query.why(id)])
    if (request === undefined) return `There is no request #${id}.`
    if (reason !== undefined) return `Request #${id} waits: ${reason.text}.`
    const { builder, buildNumber, result } = request
    if (buildNumber !== null)
      return `Request #${id} does not wait: it is build ${buildName({ builder, number: buildNumber })}.`
    return `Request #${id} does not wait${result === null ? '' : `: ${result}`}.`
  }

  async function why(word: string | undefined): Promise<readonly string[]> {
    const number = /^#?(\d+)$/.exec(word ?? '')?.[1]
    if (number !== undefined) return [await whyRequest(Number(number))]
    const builder = await find.builder(word)
    const waiting = await query.requests({ builder: builder.name, limit: 6 })
    const lines: string[] = []
    for (const request of waiting.filter(({ state }) => state === 'waiting').slice(0, 5)) {
      const reason = await query.why(request.id)
      if (reason) lines.push(`Request #${request.id} of ${builder.name} waits: ${reason.text}.`)
    }
    const more = builder.waiting - lines.length
    if (more > 0 && lines.length > 0) lines.push(`${more} more wait behind them.`)
    return lines.length === 0 ? [`Nothing waits for ${builder.name}.`] : lines
  }

  return [
    {
      name: 'list',
      usage: 'builders|slaves|changes|schedulers',
      summary: 'lists what there is',
      example: 'list builders',
      run: ({ words }) => list(words[0]?.toLowerCase()),
    },
    {
      name: 'status',
      usage: '[BUILDER|all]',
      summary: 'says what a builder does, or those that are busy or red',
      example: 'status all',
      async run({ words: [word] }) {
        if (word !== undefined && word !== 'all') return statusOf(await find.builder(word))
        const all = await query.builders()
        const told =
          word === 'all'
            ? all
            : all.filter((one) => one.state === 'building' || one.waiting > 0 || isBad(one.lastResult))
        if (told.length === 0)
          return `Nothing runs, and ${all.length === 1 ? 'the one builder is not' : `none of ${all.length} builders is`} red.`
        return (await Promise.all(told.map(statusOf))).flat()
      },
    },
    {
      name: 'last',
      usage: '[BUILDER]',
      summary: 'says how the last build of a builder ended, or of each',
      example: 'last full',
      async run({ words: [word] }) {
        const all = word === undefined || word === 'all' ? await query.builders() : [await find.builder(word)]
        return Promise.all(all.map(lastOf))
      },
    },
    {
      name: 'why',
      usage: 'BUILDER|#REQUEST',
      summary: 'says what waiting requests wait for',
      example: 'why full',
      run: ({ words }) => {
        if (words[0] === undefined) throw wrongUsage('why BUILDER|#REQUEST')
        return why(words[0])
      },
    },
    {
      name: 'eta',
      usage: '[BUILDER]',
      summary: 'says when running builds will have ended',
      example: 'eta full',
      async run({ words: [word] }) {
        const builder = word === undefined ? undefined : await find.builder(word)
        const running = await query.builds({ running: true, limit: 20, ...(builder && { builder: builder.name }) })
        if (running.length === 0 && builder) throw nothingRuns(builder.name)
        if (running.length === 0) return 'Nothing runs.'
        return running.map(
          (build) =>
            `${buildName(build)}${etaOf(build, clock.now()) || ': not known yet, no good build of it was seen'}`,
        )
      },
    },
    {
      name: 'blame',
      usage: 'BUILDER',
      summary: 'says since when a builder is red and whose changes were in the build that broke',
      example: 'blame full',
      run: async ({ words }) => blame(await find.builder(words[0], 'blame BUILDER')),
    },
    {
      name: 'slaves missing',
      usage: '',
      summary: 'lists slaves that should be here and are not',
      example: 'slaves missing',
      async run() {
        const absent = (await query.slaves()).filter(
          ({ absentSince, connectedAt }) => absentSince !== null && connectedAt === null,
        )
        return absent.length === 0 ? 'All slaves are here.' : absent.map(slaveLine)
      },
    },
    {
      name: 'version',
      usage: '',
      summary: 'says which Boltbot this is',
      example: 'version',
      run: () => `Boltbot ${tools.program?.version ?? '(not installed)'}`,
    },
    {
      name: 'source',
      usage: '',
      summary: 'says what this master builds, and where the bot comes from',
      example: 'source',
      run: () => {
        const { name, url } = query.project()
        return [`${name}${url === null ? '' : `: ${url}`}`, 'I am Boltbot, free software under the MIT licence.']
      },
    },
  ]
}
