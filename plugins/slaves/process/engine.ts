import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock, InstanceKey, LatentEngine, Log } from 'boltbot/plugin-sdk'
import { folderOf, LOG_FILE, makeBaseDirectory } from '../agent-directory.ts'
import { endAgent, runningAgent, startAgent } from '../agent-process.ts'

export interface ProcessEngineDeps {
  /** Instances get folders below it. */
  readonly directory: string
  /** What agents dial. */
  readonly url: string
  readonly clock: Clock
  readonly log: Log
}

const KEY_FILE = 'instance.json'
const POLL_MS = 50
/** A process that was just started notes itself within this time. */
const START_MS = 10_000
/** The same for one that an earlier master may have started just before it died. */
const LEFT_MS = 2000
const WATCH_MS = 2000

/**
 * Instances are processes; each has a folder that carries its key, so that they are found again by a master that comes back. Disposing
 * looks after them no longer; it ends none.
 */
export function createProcessEngine(deps: ProcessEngineDeps): LatentEngine & Disposable {
  const { clock, log } = deps
  const instances = join(deps.directory, 'instances')
  const listeners = new Set<(key: InstanceKey, reason: string) => void>()
  /** Processes of earlier masters that are looked after. */
  const watched = new Map<string, Disposable>()
  /** What was cancelled did not end by itself. */
  const cancelled = new Set<string>()
  let disposed = false

  const pathOf = ({ slave, epoch }: InstanceKey) => join(instances, `${folderOf(slave)}.${epoch}`)

  function tell(key: InstanceKey, reason: string): void {
    if (disposed || cancelled.has(pathOf(key))) return
    for (const listener of listeners) listener(key, reason)
  }

  /** Whether its process runs; one that has not noted itself yet is waited for a little. */
  async function lives(path: string, patience: number): Promise<boolean> {
    for (const end = clock.now() + patience; ; await clock.sleep(POLL_MS)) {
      if ((await runningAgent(path)) !== undefined) return true
      if (clock.now() >= end) return false
    }
  }

  /** Not our child: its end must be looked for. */
  function watch(key: InstanceKey, path: string): void {
    if (disposed) return
    watched.get(path)?.[Symbol.dispose]()
    watched.set(
      path,
      clock.timer(WATCH_MS, async () => {
        if (await lives(path, 0)) return watch(key, path)
        watched.delete(path)
        tell(key, 'its process is gone')
      }),
    )
  }

  async function keyIn(path: string): Promise<InstanceKey | undefined> {
    try {
      return JSON.parse(await readFile(join(path, KEY_FILE), 'utf8')) as InstanceKey // written below
    } catch {
      return undefined // never finished, or none of ours
    }
  }

  return {
    async submit({ slave, password }, key) {
      const path = pathOf(key)
      await rm(path, { recursive: true, force: true })
      await mkdir(path, { recursive: true, mode: 0o700 })
      await writeFile(join(path, KEY_FILE), JSON.stringify(key))
      await makeBaseDirectory(path, { slave, url: deps.url, password })
      const agent = startAgent(path)
      log.info('instance started', { slave, epoch: key.epoch, pid: agent.pid, directory: path })
      let over: string | undefined
      void agent.gone.then((how) => {
        over = how
        tell(key, `${how}; see "${join(path, LOG_FILE)}"`)
      })
      const end = clock.now() + START_MS
      // From its note on it is found again, whatever happens here.
      while (over === undefined && !(await lives(path, 0)) && clock.now() < end) await clock.sleep(POLL_MS)
    },
    async find(key) {
      const path = pathOf(key)
      const found = (await keyIn(path)) !== undefined && (await lives(path, LEFT_MS))
      if (found) watch(key, path)
      return found
    },
    async cancel(key) {
      const path = pathOf(key)
      cancelled.add(path)
      watched.get(path)?.[Symbol.dispose]()
      watched.delete(path)
      if ((await keyIn(path)) !== undefined) {
        await endAgent(path, clock)
        // The last words of the last instance tell why it did not come.
        const kept = join(deps.directory, `${folderOf(key.slave)}.log`)
        await rename(join(path, LOG_FILE), kept).catch(() => {}) // it printed nothing
      }
      await rm(path, { recursive: true, force: true, maxRetries: 5 })
      cancelled.delete(path)
    },
    async list() {
      const folders = await readdir(instances).catch(() => [])
      const keys = await Promise.all(folders.map((folder) => keyIn(join(instances, folder))))
      return keys.filter((key) => key !== undefined)
    },
    observe(listener) {
      listeners.add(listener)
      return { [Symbol.dispose]: () => void listeners.delete(listener) }
    },
    [Symbol.dispose]() {
      disposed = true
      for (const timer of watched.values()) timer[Symbol.dispose]()
    },
  }
}
