import type { Random } from 'boltbot/plugin-sdk'
import { createSeededRandom, until } from 'boltbot/plugin-sdk/testing'
import { configText } from '../e2e/rig/config.ts'
import { createMailServer } from '../e2e/rig/mail-server.ts'
import { reservePort } from '../e2e/rig/ports.ts'
import type { Running } from '../e2e/rig/processes.ts'
import { createRepository, JANE, JOE } from '../e2e/rig/repository.ts'
import type { MasterProcess, World } from '../e2e/rig.ts'
import { checkHistory } from './history.ts'

export interface FaultOptions {
  readonly seed: number
  readonly masterKills: number
  readonly agentKills: number
  readonly told: (line: string) => void
}

const LEASE_S = 3
const SLAVES = ['bot-1', 'bot-2']

/**
 * Real processes, killed and stopped by chance while commits keep coming; then what happened is checked against the outside: the
 * repository, the commands' own record, the mails that came.
 */
export async function runFaults(world: World, options: FaultOptions): Promise<void> {
  const { told } = options
  const chance = createSeededRandom(options.seed)
  const between = (low: number, high: number) => low + Math.floor(chance.next() * (high - low + 1))
  const mails = world.use(await createMailServer())
  const repository = await createRepository(world.folder, { 'README.md': 'Hello\n' })
  const port = await reservePort()
  const record = world.file('record')
  const step = (name: string) =>
    `shellCommand({ name: '${name}', command: ['node', '-e', ${JSON.stringify(COMMAND)}, ${JSON.stringify(record)}, '${name}', interpolate\`\${'buildnumber'}\`, interpolate\`\${'revision'}\`] })`
  const config = configText({
    slavePort: port,
    slaves: SLAVES,
    repourl: repository.url,
    treeStableTimer: '0s',
    steps: `${step('compile')}, ${step('test')}`,
    builderOptions: 'mergeRequests: false,',
    // A retry here is no verdict on the code: its budget must not end it. Nor may that of mails put any off into a digest.
    masterOptions: `buildLease: '${LEASE_S}s', maxTries: 1000, outbox: { budget: false },`,
    status: `mailNotifier({ fromaddr: 'ci@example.org', relayhost: '127.0.0.1', smtpPort: ${mails.port}, mode: 'all', extraRecipients: ['crew@example.org'] }),`,
  })
  let master = await world.master(config)
  await master.line(/first poll/)
  const slaves = new Map<string, Running>()
  for (const name of SLAVES) slaves.set(name, await world.slave(name, port))

  let commits = 0
  let kills = 0
  const commit = async () => {
    const n = commits++
    await repository.commit({ files: { 'file.txt': `${n}\n` }, who: n % 2 ? JANE : JOE, comments: `Change ${n}` })
  }
  const actions = shuffled(chance, [
    ...Array.from({ length: options.masterKills }, () => 'kill master' as const),
    ...Array.from({ length: options.agentKills }, () => 'kill agent' as const),
    ...Array.from({ length: Math.ceil(options.agentKills / 5) }, () => 'freeze agent' as const),
  ])
  for (const action of actions) {
    await commit()
    await pause(between(0, 900))
    const name = SLAVES[between(0, SLAVES.length - 1)]!
    told(`${action}${action === 'kill master' ? '' : ` ${name}`}`)
    if (action === 'kill master') {
      kills++
      await master.kill('SIGKILL')
      if (chance.next() < 0.3) await commit()
      master = await world.startMaster(master.basedir)
    } else if (action === 'kill agent') {
      await slaves.get(name)!.kill('SIGKILL')
      slaves.set(name, await world.slave(name, port))
    } else {
      const { pid } = slaves.get(name)!
      process.kill(pid, 'SIGSTOP')
      await pause((LEASE_S + 1) * 1000)
      process.kill(pid, 'SIGCONT')
    }
  }
  const revisions = (await repository.revisions()).slice(1)
  await allBuilt(master, revisions.length)
  const { builds, retried } = await checkHistory({ master, revisions, record, mails: mails.mails, kills })
  told(
    `${revisions.length} commits, ${builds} builds, ${retried} of them retried, ${mails.mails.length} mails: all as it must be`,
  )
}

/** Waits until there is a good build for each commit, and nothing waits or runs. */
async function allBuilt(master: MasterProcess, commits: number): Promise<void> {
  await until(
    async () => {
      const builds = await master.call<readonly { result: string | null }[]>('builds', { limit: 1000 })
      const good = builds.filter(({ result }) => result === 'success').length
      return good >= commits && builds.every(({ result }) => result !== null)
    },
    { what: `good builds of ${commits} commits`, deadline: 60_000 + commits * 3000 },
  )
}

/** Real time: what is waited for is the next strike of chance, not an event. */
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

function shuffled<T>(chance: Random, list: readonly T[]): T[] {
  const rest = [...list]
  return list.map(() => rest.splice(Math.floor(chance.next() * rest.length), 1)[0]!)
}

/** Says something for about half a second, and notes in the record when it began and the digest of what it had said. */
const COMMAND = `
const { createHash } = require('node:crypto'); const { appendFileSync } = require('node:fs')
const [record, step, number, revision] = process.argv.slice(1); const hash = createHash('sha256'); let n = 0
const note = (what) => appendFileSync(record, [revision, number, step, what].join(' ') + '\\n')
note('began')
const timer = setInterval(() => {
  const lines = Array.from({ length: 50 }, () => revision + ' line ' + n++ + '\\n').join('')
  hash.update(lines); process.stdout.write(lines)
  if (n < 1000) return
  clearInterval(timer)
  process.stdout.write('', () => note(hash.digest('hex')))
}, 25)`
