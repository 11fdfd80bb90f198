import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { BuildFinished, BuildView, HookEvent, StoredHook } from 'boltbot/plugin-sdk'
import { until } from 'boltbot/plugin-sdk/testing'
import { callMaster } from '../../core/cli/control-client.ts'
import { makeMasterDirectory } from '../../core/cli/master-directory.ts'
import { makeSlaveDirectory } from '../../core/cli/slave-directory.ts'
import { PASSWORD, RECORDER } from './rig/config.ts'
import { type Running, startBoltbot } from './rig/processes.ts'

/** A master as a process of its own, on its own base directory. */
export interface MasterProcess extends Running {
  readonly basedir: string
  /** The first event, also one that came already, of this name that fits. */
  event<Name extends StoredHook>(
    name: Name,
    fits?: (event: HookEvent<Name>) => boolean,
    deadline?: number,
  ): Promise<HookEvent<Name>>
  /** The events of these names so far. */
  events<Name extends StoredHook>(name: Name): readonly HookEvent<Name>[]
  finished(number: number): Promise<BuildFinished>
  call<T>(method: string, params?: object): Promise<T>
  build(number: number): Promise<BuildView>
  /** A log of a step, whole, without what Boltbot itself says in it. */
  log(number: number, step: string): Promise<Buffer>
  writeConfig(text: string): Promise<void>
}

export interface MasterOptions {
  /** More files of the config's folder, by name. */
  readonly files?: Readonly<Record<string, string>>
  /** Called before the start. */
  readonly prepare?: (basedir: string) => Promise<void>
}

export interface World {
  readonly folder: string
  /** Makes a base directory, starts a master in it and waits until it answers. */
  master(config: string, options?: MasterOptions): Promise<MasterProcess>
  /** Starts a master in a base directory that is there already. */
  startMaster(basedir: string): Promise<MasterProcess>
  /** Makes a slave's directory if need be and starts it. It connects when it can. */
  slave(name: string, port: number, password?: string, env?: Readonly<Record<string, string>>): Promise<Running>
  /** Ties something to the story's life. */
  use<T extends AsyncDisposable>(thing: T): T
  file(name: string): string
}

/** A test with real processes: has a folder, ends all it started, and says with a failure what the processes printed. */
export function story(name: string, tell: (world: World, t: TestContext) => Promise<void>, timeout = 90_000): void {
  test(name, { timeout }, async (t) => {
    await using stack = new AsyncDisposableStack()
    const folder = stack.adopt(await mkdtemp(join(tmpdir(), 'boltbot-e2e-')), (path) =>
      rm(path, { recursive: true, force: true, maxRetries: 5 }),
    )
    const started: Running[] = []
    // The runner gives up on a test without a word of why: this is the last moment to see what the processes say.
    const late = setTimeout(() => t.diagnostic(report(started)), timeout - 2000)
    stack.defer(() => clearTimeout(late))
    try {
      await tell(createWorld(folder, stack, started), t)
    } catch (error) {
      if (error instanceof Error) error.stack = `${error.stack}\n${report(started)}`
      throw error
    }
  })
}

function createWorld(folder: string, stack: AsyncDisposableStack, started: Running[]): World {
  const keep = <T extends Running>(running: T): T => {
    started.push(running)
    return stack.use(running)
  }
  async function startMaster(basedir: string): Promise<MasterProcess> {
    const master = keep(createMasterProcess(basedir))
    const up = until(() => master.call('info').then(() => true), {
      what: 'the master to answer on its control socket',
      deadline: 30_000,
      seen: master.output,
    })
    const end = master.exited.then(({ code }) => {
      throw new Error(`The master ended with ${code} before it was up.`)
    })
    end.catch(() => {}) // it matters only when it comes first
    await Promise.race([up, end])
    return master
  }
  return {
    folder,
    startMaster,
    async master(config, { files = {}, prepare } = {}) {
      const basedir = join(folder, 'master')
      makeMasterDirectory(basedir, undefined)
      for (const [name, text] of Object.entries({ ...files, 'recorder.ts': RECORDER, 'master.cfg.ts': config }))
        await writeFile(join(basedir, name), text)
      await prepare?.(basedir)
      return startMaster(basedir)
    },
    async slave(name, port, password = PASSWORD, env = {}) {
      const basedir = join(folder, `slave-${name}`)
      const login = { url: `ws://127.0.0.1:${port}`, name, password }
      if (!existsSync(basedir)) makeSlaveDirectory(basedir, login, { keepalive: 60, maxdelay: 2 })
      return keep(startBoltbot({ name, args: ['start', '--nodaemon', basedir], cwd: folder, env }))
    },
    use: (thing) => stack.use(thing),
    file: (name) => join(folder, name),
  }
}

function createMasterProcess(basedir: string): MasterProcess {
  const events: { readonly name: string; readonly event: unknown }[] = []
  const onLine = (line: string) => {
    if (line.startsWith('{"name":')) events.push(JSON.parse(line))
  }
  const running = startBoltbot({ name: 'master', args: ['start', '--nodaemon', basedir], cwd: basedir, onLine })
  const ofName = <Name extends StoredHook>(name: Name) =>
    events.filter((one) => one.name === name).map((one) => one.event as HookEvent<Name>) // as the recorder wrote them
  const call = <T>(method: string, params: object = {}, onItem?: (item: unknown) => void) =>
    callMaster<T>(basedir, method, params, onItem)

  const master: Omit<MasterProcess, keyof Running> = {
    basedir,
    events: ofName,
    event: (name, fits = () => true, deadline = 30_000) =>
      until<HookEvent<typeof name> | undefined>(() => ofName(name).find(fits), {
        what: `the event ${name}`,
        deadline,
        seen: () => events.map((one) => one.name).join(', '),
      }),
    finished: (number) => master.event('buildFinished', (event) => event.number === number),
    call,
    async build(number) {
      const builds = await call<readonly BuildView[]>('builds', { builder: 'full', limit: 1000 })
      const found = builds.find((build) => build.number === number)
      if (found === undefined) throw new Error(`There is no build full/${number}.`)
      return found
    },
    async log(number, step) {
      const parts: Buffer[] = []
      await call('log', { build: `full/${number}`, step }, (item) => {
        const { stream, data } = item as { readonly stream: string; readonly data: string } // as the master sends them
        if (stream !== 'header') parts.push(Buffer.from(data, 'base64'))
      })
      return Buffer.concat(parts)
    },
    writeConfig: (text) => writeFile(join(basedir, 'master.cfg.ts'), text),
  }
  return Object.assign(running, master)
}

function report(started: readonly Running[]): string {
  return started
    .map(({ name, pid, output }) => `--- ${name} (${pid})\n${output().split('\n').slice(-60).join('\n')}`)
    .join('\n')
}
