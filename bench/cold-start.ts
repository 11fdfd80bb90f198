// Claim: from nothing but a config, the master and a slave started at the same moment are attached to each other within a second.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { makeMasterDirectory } from '../core/cli/master-directory.ts'
import { makeSlaveDirectory } from '../core/cli/slave-directory.ts'
import { PLAIN_AND_LOADED, rowName } from './load.ts'
import { median, report } from './report.ts'

const ROUNDS = 5
const root = fileURLToPath(new URL('..', import.meta.url))

for (const loaded of PLAIN_AND_LOADED) {
  const times: number[] = []
  for (let round = 0; round <= ROUNDS; round++) {
    const time = await coldStart(loaded)
    // The first one finds files that nobody has read yet.
    if (round > 0) times.push(time)
  }
  report({
    name: rowName('cold start to slave attached', loaded),
    ours: median(times),
    against: 1,
    unit: 's',
    limit: 'the aim; stock Buildbot 1.5 s',
    aim: { atMost: 1 },
  })
}

/** Seconds from the start of both processes to the line of the config's own plugin that says a slave is attached. */
async function coldStart(loaded: boolean): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), 'boltbot-bench-'))
  const [masterDir, slaveDir] = [join(directory, 'master'), join(directory, 'slave')]
  const port = await freePort()
  makeSlaveDirectory(
    slaveDir,
    { url: `ws://127.0.0.1:${port}`, name: 'bot', password: 'secret' },
    { keepalive: 60, maxdelay: 1 },
  )
  const config = join(directory, 'master.cfg.ts')
  await writeFile(config, configText(port, loaded))
  makeMasterDirectory(masterDir, config)
  const flags = ['--disable-warning=ExperimentalWarning']
  // As it comes from the command line: what run.ts gives to the others would make it faster.
  const { NODE_COMPILE_CACHE: _, ...env } = process.env
  const from = performance.now()
  const master = spawn(
    process.execPath,
    [...flags, join(root, 'core/cli/boltbot.js'), 'start', '--nodaemon', masterDir],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
      env,
    },
  )
  const agent = spawn(process.execPath, [...flags, join(root, 'slave/boltbot-slave.js'), slaveDir], {
    stdio: 'ignore',
    env,
  })
  const ends = [once(master, 'exit'), once(agent, 'exit')]
  try {
    const said: string[] = []
    for await (const line of createInterface(master.stderr)) {
      said.push(line)
      if (line.includes('slave attached')) return (performance.now() - from) / 1000
    }
    throw new Error(`The master ended before a slave was attached:\n${said.join('\n')}`)
  } finally {
    agent.kill()
    master.kill()
    await Promise.all(ends)
    await rm(directory, { recursive: true, force: true })
  }
}

function configText(port: number, loaded: boolean): string {
  return `
import { builder, buildFactory, defineMaster, definePlugin, masterLock, slave, slaveLock } from 'boltbot'
import { agents } from 'boltbot/plugins/slaves/websocket'
import { shellCommand } from 'boltbot/plugins/steps'

const bot = slave({ name: 'bot', password: 'secret' })
const watcher = definePlugin({
  name: 'watcher',
  kind: 'status',
  apply: (host) => host.tap('slaveConnected', () => host.log.info('slave attached')),
})

const make = buildFactory([shellCommand({ command: ['true'] })])
const locks = [masterLock('license').access('counting'), slaveLock('cpu').access('exclusive')]

export default defineMaster({
  projectName: 'Bench',
  transports: [agents({ port: ${port} })],
  slaves: [bot],
  builders: [builder({ name: 'full', slaves: [bot], factory: make${loaded ? ', locks, mergeRequests: true' : ''} })],
  ${loaded ? 'prioritizeBuilders: (waiting) => waiting,' : ''}
  status: [watcher()],
})
`
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // it listens on TCP
  server.close()
  return port
}
