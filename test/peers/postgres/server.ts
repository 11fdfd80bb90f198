import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { until } from 'boltbot/plugin-sdk/testing'
import pg from 'pg'

/**
 * A PostgreSQL server of the test's own, on loopback, with all it wrote in a folder that goes with it. Only a role `locked`, if a test
 * makes one, has to give its password.
 */
export interface PostgresServer extends AsyncDisposable {
  /** Of an empty database. */
  database(): Promise<string>
  /** As a crash ends it, and anew on the same files and port. */
  kill(): Promise<void>
  start(): Promise<void>
  sql(url: string, text: string): Promise<readonly Record<string, unknown>[]>
}

/** Why it cannot run here. */
export const postgresMissing = binaries() === undefined ? 'PostgreSQL is not installed' : false

function binaries(): string | undefined {
  const versions = existsSync('/usr/lib/postgresql') ? readdirSync('/usr/lib/postgresql') : []
  return versions
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => `/usr/lib/postgresql/${version}/bin`)
    .find((path) => existsSync(join(path, 'initdb')))
}

export async function startPostgres(): Promise<PostgresServer> {
  const bin = binaries()!
  const folder = mkdtempSync(join(tmpdir(), 'boltbot-postgres-'))
  const data = join(folder, 'data')
  const account = serverAccount()
  if (account !== undefined) {
    chownSync(folder, account.uid, account.gid)
    chmodSync(folder, 0o700)
  }
  const auth = ['-A', 'trust', '-U', 'ci', '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync']
  execFileSync(join(bin, 'initdb'), ['-D', data, ...auth], { stdio: 'pipe', cwd: '/', ...account })
  // All but one are believed who they say they are.
  const access = join(data, 'pg_hba.conf')
  writeFileSync(access, `host all locked all scram-sha-256\n${readFileSync(access, 'utf8')}`)
  const port = await freePort()
  const url = (name: string) => `postgres://ci@127.0.0.1:${port}/${name}`
  let server = run()
  let count = 0
  await answers()

  function run() {
    // What it wrote survives its own death without a sync; the death of the machine is not tested.
    const settings = [`port=${port}`, 'listen_addresses=127.0.0.1', 'unix_socket_directories=', 'fsync=off']
    return spawn(join(bin, 'postgres'), ['-D', data, ...settings.flatMap((one) => ['-c', one])], {
      stdio: ['ignore', 'ignore', 'pipe'],
      cwd: '/',
      ...account,
    })
  }

  async function answers(): Promise<void> {
    const said: Buffer[] = []
    server.stderr.on('data', (bytes: Buffer) => said.push(bytes))
    await until(
      () =>
        sql(url('postgres'), 'select 1').then(
          () => true,
          () => server.exitCode !== null,
        ),
      {
        what: 'an answer of PostgreSQL',
        deadline: 60_000,
      },
    )
    if (server.exitCode !== null) throw new Error(`PostgreSQL ended:\n${Buffer.concat(said)}`)
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    if (server.exitCode !== null || server.signalCode !== null) return
    const gone = once(server, 'exit')
    server.kill(signal)
    await gone
  }

  return {
    async database() {
      const name = `t${++count}`
      await sql(url('postgres'), `create database ${name}`)
      return url(name)
    },
    kill: () => end('SIGQUIT'), // at once, without a checkpoint: its children go too
    async start() {
      server = run()
      await answers()
    },
    sql,
    async [Symbol.asyncDispose]() {
      await end('SIGINT')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function sql(url: string, text: string): Promise<readonly Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  try {
    return (await client.query(text)).rows
  } finally {
    await client.end()
  }
}

/** The server refuses to be root. */
function serverAccount(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((one) => one.startsWith('postgres:'))
  const [, , uid, gid] = line!.split(':')
  return { uid: Number(uid), gid: Number(gid) }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { readonly port: number }
  server.close()
  await once(server, 'close')
  return port
}
