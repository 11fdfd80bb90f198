import type { BuildsetSubmitted, Json, Query } from 'boltbot/plugin-sdk'
import type { FollowedRequest } from '../../store/followers.ts'
import type { Call, ChatTools, Command } from '../command.ts'
import { buildName, endedLine, runningLine } from '../describe.ts'
import { noBuild, notHere, unknownOption, wrongUsage } from '../errors.ts'
import type { Finder } from '../find.ts'
import { personOf, reasonOf } from '../order.ts'
import { takeOptions } from '../words.ts'

const FORCE = ['branch', 'revision', 'codebase', 'prop', 'priority'] as const
const FORCE_USAGE =
  '[--branch NAME] [--revision ID] [--codebase NAME] [--prop NAME=VALUE …] [--priority N] BUILDER REASON'

/** What can be done; each act passes the one guard. */
export function actCommands(
  { query, actions, clock, followers, program, guard }: ChatTools,
  find: Finder,
): readonly Command[] {
  /** Tells the asker of the build, here, later. */
  async function follow(call: Call, builder: string, { requests, warning }: BuildsetSubmitted): Promise<string> {
    const number = requests.map((request) => `#${request}`).join(', ')
    const mind = warning === null ? '' : ` Mind: ${warning}.`
    if (!call.place.stays) return `Build of ${builder} is asked for: request ${number}.${mind}`
    // It may have begun before that, or even ended.
    const begun = await begunBuild(await followers.follow(call, requests))
    const promise =
      begun === undefined
        ? 'I will tell you when it starts and when it has ended.'
        : `${begun.finishedAt === null ? runningLine(begun, clock.now()) : endedLine(begun, clock.now())}.`
    return `Build of ${builder} is asked for: request ${number}.${mind} ${promise}`
  }

  async function begunBuild(followed: readonly FollowedRequest[]) {
    const build = followed.find(({ state }) => state !== 'waiting')?.build
    return build === null || build === undefined ? undefined : query.build(build)
  }

  async function force(call: Call): Promise<string> {
    const { words, given, unknown } = takeOptions(call.words, FORCE)
    if (unknown[0] !== undefined) throw unknownOption(unknown[0], FORCE)
    const builder = await find.builder(words[0], `force build ${FORCE_USAGE}`)
    const reason = words.slice(1).join(' ')
    const [branch, revision, codebase, priority] = (['branch', 'revision', 'codebase', 'priority'] as const).map(
      (name) => given[name]?.at(-1),
    )
    if (priority !== undefined && !/^-?\d{1,9}$/.test(priority)) throw wrongUsage('--priority N, a whole number')
    const order = {
      builder: builder.name,
      reason: reason === '' ? `forced by ${call.speaker.name}` : reason,
      properties: propertiesOf(given.prop ?? []),
      ...(branch !== undefined && { branch }),
      ...(revision !== undefined && { revision }),
      ...(codebase !== undefined && { codebase }),
      ...(priority !== undefined && { priority: Number(priority) }),
      ...personOf(call),
    }
    return follow(call, builder.name, await actions.force(order, call.asker.via))
  }

  async function stop(call: Call): Promise<string> {
    const { builder, number, rest } = await splitBuild(query, call.words)
    const { name, lastBuild } = await find.builder(builder, 'stop build BUILDER[/NUMBER] REASON')
    const build = number === undefined ? await find.running(name) : await query.buildByNumber(name, number)
    if (build === undefined) throw noBuild(name, number, lastBuild)
    await actions.stopBuild({ build: build.id, reason: reasonOf(rest, call), ...personOf(call) }, call.asker.via)
    return `Build ${buildName(build)} is being stopped.`
  }

  async function cancel(call: Call): Promise<string> {
    const [word, ...rest] = call.words
    const common = { reason: reasonOf(rest, call), ...personOf(call) }
    using _ = followers.hush(call.asker.who, call) // the answer says it
    const request = /^#?(\d+)$/.exec(word ?? '')?.[1]
    if (request !== undefined) {
      await actions.cancel({ request: Number(request), ...common }, call.asker.via)
      return `Request #${request} is cancelled.`
    }
    const { name } = await find.builder(word, 'cancel BUILDER|#REQUEST [REASON]')
    const count = await actions.cancel({ builder: name, ...common }, call.asker.via)
    return count === 0
      ? `Nothing waited for ${name}.`
      : `${count} request${count === 1 ? '' : 's'} of ${name} cancelled.`
  }

  async function rebuild(call: Call): Promise<string> {
    const { builder, number, rest } = await splitBuild(query, call.words)
    const { name, lastBuild } = await find.builder(builder, 'rebuild BUILDER[/NUMBER] [REASON]')
    const build =
      number === undefined
        ? (await query.builds({ builder: name, limit: 1 }))[0]
        : await query.buildByNumber(name, number)
    if (build === undefined) throw noBuild(name, number, lastBuild)
    const submitted = await actions.rebuild(
      { build: build.id, reason: reasonOf(rest, call), ...personOf(call) },
      call.asker.via,
    )
    return follow(call, name, submitted)
  }

  return [
    {
      name: 'force build',
      also: ['force'],
      usage: FORCE_USAGE,
      summary: 'starts a build; you are told when it starts and when it has ended',
      example: 'force build --branch main --prop colour=red full after the move',
      run: force,
    },
    {
      name: 'stop build',
      also: ['stop'],
      usage: 'BUILDER[/NUMBER] REASON',
      summary: 'stops a running build',
      example: 'stop build full the branch is wrong',
      run: stop,
    },
    {
      name: 'cancel',
      usage: 'BUILDER|#REQUEST [REASON]',
      summary: 'takes a waiting request out of its queue, or all of a builder',
      example: 'cancel #17 not needed any more',
      run: cancel,
    },
    {
      name: 'rebuild',
      usage: 'BUILDER[/NUMBER] [REASON]',
      summary: 'builds once more just what a build was made from; without a number the last one',
      example: 'rebuild full/12 the disk was full',
      run: rebuild,
    },
    {
      name: 'reconfig',
      usage: '',
      summary: 'has the master read its config again',
      example: 'reconfig',
      async run({ asker }) {
        if (program === undefined) throw notHere('reconfig', 'this master has no program around it')
        const changed = await program.reconfigure(asker)
        return changed.length === 0
          ? 'The config is in force; nothing changed.'
          : ['The config is in force:', ...changed.slice(0, 10)]
      },
    },
    {
      name: 'shutdown',
      usage: '[REASON]',
      summary: 'stops the master; running builds go back to the queue',
      example: 'shutdown the machine is moved',
      async run(call) {
        if (program === undefined) throw notHere('shutdown', 'this master has no program around it')
        const reason = reasonOf(call.words, call)
        await guard({ action: 'shutdown', ...call.asker, reason })
        program.shutDown(call.asker.who, reason)
        return 'The master stops now. Good bye.'
      },
    },
  ]
}

/** `full`, `full/12`, `full#12` or, as the bot itself writes it, `full #12`; a builder may have such a name itself. */
async function splitBuild(
  query: Query,
  [word, ...rest]: readonly string[],
): Promise<{
  readonly builder: string | undefined
  readonly number: number | undefined
  readonly rest: readonly string[]
}> {
  const match = /^(.+)[/#](\d+)$/.exec(word ?? '')
  if (match && word !== undefined && !(await query.builder(word)))
    return { builder: match[1], number: Number(match[2]), rest }
  const number = /^#(\d+)$/.exec(rest[0] ?? '')?.[1]
  if (number !== undefined) return { builder: word, number: Number(number), rest: rest.slice(1) }
  return { builder: word, number: undefined, rest }
}

function propertiesOf(given: readonly string[]): Record<string, Json> {
  return Object.fromEntries(
    given.map((text) => {
      const cut = text.indexOf('=')
      if (cut < 1) throw wrongUsage('--prop NAME=VALUE')
      return [text.slice(0, cut), text.slice(cut + 1)]
    }),
  )
}
