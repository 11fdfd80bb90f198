import { join } from 'node:path'
import { definePlugin, type Host } from 'boltbot/plugin-sdk'
import { folderOf, listFolders, makeBaseDirectory } from '../agent-directory.ts'
import { type Door, openDoor } from '../agent-door.ts'
import { endAgent } from '../agent-process.ts'
import { createKeeper, type Keeper } from './keeper.ts'
import { type Local, type LocalOptions, localSchema } from './options.ts'

export type { LocalOptions } from './options.ts'

/**
 * Slaves on the master's own machine, each a process that the master starts itself. They need no password.
 *
 * @example
 * const here = slave({ name: 'here' })
 * defineMaster({ projectName: 'Hello', transports: [local()], slaves: [here], builders: [full] })
 */
export const local = definePlugin<'slave', LocalOptions, Local>({
  name: 'slaves/local',
  kind: 'slave',
  needs: ['slaves', 'directory'],
  startsSlaves: true,
  schema: localSchema,
  apply() {},
  async start(host: Host, options: Local): Promise<AsyncDisposable> {
    const directory = await host.directory()
    const passwords = new Map<string, string>()
    const door = await openDoor(host, directory, process.platform, (slave) => passwords.get(slave))
    const keepers = await keepSlaves(host, options, join(directory, 'slaves'), door, passwords)
    return {
      async [Symbol.asyncDispose]() {
        await keepers.stop(!options.keepAlive)
        await door[Symbol.asyncDispose]()
      },
    }
  },
})

/** The slaves of the config may change while this plugin's own options stay: they are looked at again and again. */
const LOOK_MS = 2000

async function keepSlaves(host: Host, options: Local, slaves: string, door: Door, passwords: Map<string, string>) {
  const keepers = new Map<string, Keeper>()
  let timer: Disposable | undefined
  let stopped = false

  async function keep(slave: string): Promise<void> {
    const { path, password } = await makeBaseDirectory(join(slaves, folderOf(slave)), { slave, url: door.url })
    passwords.set(slave, password)
    const keeper = createKeeper({ slave, basedir: path, clock: host.clock, log: host.log })
    keepers.set(slave, keeper)
    await keeper.start()
  }

  async function drop(slave: string): Promise<void> {
    const keeper = keepers.get(slave)
    keepers.delete(slave)
    passwords.delete(slave)
    host.log.info('local slave no longer wanted', { slave })
    await keeper?.stop(true)
  }

  async function look(): Promise<void> {
    const wanted = await wantedSlaves(host, options)
    await Promise.all([...wanted].filter((slave) => !keepers.has(slave)).map(keep))
    await Promise.all([...keepers.keys()].filter((slave) => !wanted.has(slave)).map(drop))
  }

  function lookAgain(): void {
    timer = host.clock.timer(LOOK_MS, () => {
      look()
        .catch((error: unknown) => host.log.error('local slaves not looked after', { error }))
        .finally(() => {
          if (!stopped) lookAgain()
        })
    })
  }

  await look()
  // Agents of slaves that left the config while no master ran.
  const folders = new Set([...keepers.keys()].map(folderOf))
  const left = (await listFolders(slaves)).filter((folder) => !folders.has(folder))
  void Promise.all(left.map((folder) => endAgent(join(slaves, folder), host.clock))).catch((error: unknown) =>
    host.log.warn('agents of former slaves not ended', { error }),
  )
  if (options.slaves === undefined) lookAgain()
  return {
    async stop(end: boolean): Promise<void> {
      stopped = true
      timer?.[Symbol.dispose]()
      await Promise.all([...keepers.values()].map((keeper) => keeper.stop(end)))
    },
  }
}

async function wantedSlaves(host: Host, { slaves }: Local): Promise<ReadonlySet<string>> {
  if (slaves !== undefined) return new Set(slaves)
  const names = (await host.query.slaves()).filter((slave) => !slave.latent).map((slave) => slave.name)
  return new Set(names.filter((name) => host.slaves.known(name) && !hasPassword(host, name)))
}

/** A password that cannot be read is one all the same: that slave comes over the network. */
function hasPassword(host: Host, slave: string): boolean {
  try {
    return host.slaves.password(slave) !== undefined
  } catch {
    return true
  }
}
