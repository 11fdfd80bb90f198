import { constants, type FSWatcher, watch } from 'node:fs'
import { mkdir, open, readdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CiError, type Host, isRefusal } from 'boltbot/plugin-sdk'
import { jobdirFailed, jobMalformed, jobNotAFile, jobTooLarge } from './errors.ts'

/** A folder like a maildir, into which jobs are moved: `new` holds those to do, `cur` those taken, `failed` those that cannot be. */
export interface JobDirectory extends AsyncDisposable {
  /** Takes what is in `new`, the oldest first. @throws CiError `BOLT_TRY_JOBDIR`, and what `take` throws that is not the job's fault. */
  scan(): Promise<void>
  /** From now on scans when something comes, where the system tells so. */
  watch(): void
}

export interface JobDirectoryDeps {
  readonly host: Pick<Host, 'log' | 'clock' | 'signal'>
  readonly path: string
  /** Bytes. */
  readonly maxSize: number
  /** Resolves when the job is stored. */
  readonly take: (name: string, bytes: Uint8Array) => Promise<void>
}

/** Several files come at once. */
const GATHER_MS = 50

export function createJobDirectory({ host, path, maxSize, take }: JobDirectoryDeps): JobDirectory {
  const { log, clock } = host
  let running: Promise<void> = Promise.resolve()
  let watcher: FSWatcher | undefined
  let soon: Disposable | undefined

  async function pass(): Promise<void> {
    const names = await readdir(join(path, 'new')).catch((error: unknown) => Promise.reject(jobdirFailed(path, error)))
    // Names begin with the time; a name that begins with a dot is no job yet.
    for (const name of names.filter((name) => !name.startsWith('.')).sort()) {
      if (host.signal.aborted) return
      await handle(name)
    }
  }

  async function handle(name: string): Promise<void> {
    try {
      const bytes = await read(name)
      if (bytes === undefined) return
      await take(name, bytes)
    } catch (error) {
      if (!isTheJobs(error)) throw error
      await move(name, 'failed', `${error.code}: ${error.message}`)
      log.warn('job cannot be taken, it is in the folder failed', { file: name, error })
      return
    }
    await move(name, 'cur')
  }

  /** `undefined`: it is gone. A link, a pipe or a huge file of somebody else must not be read. */
  async function read(name: string): Promise<Uint8Array | undefined> {
    const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)
    try {
      await using file = await open(join(path, 'new', name), flags)
      const { size, ...stat } = await file.stat().then((found) => ({ size: found.size, plain: found.isFile() }))
      if (!stat.plain) throw jobNotAFile()
      if (size > maxSize) throw jobTooLarge(size, maxSize)
      return await file.readFile()
    } catch (error) {
      if (error instanceof CiError) throw error
      const { code, message } = error as NodeJS.ErrnoException // the file system throws no others
      if (code === 'ENOENT') return undefined
      if (code === 'ELOOP') throw jobNotAFile()
      throw jobMalformed(`it cannot be read (${message})`)
    }
  }

  async function move(name: string, folder: 'cur' | 'failed', reason?: string): Promise<void> {
    try {
      await mkdir(join(path, folder), { recursive: true })
      if (reason !== undefined) await writeFile(join(path, folder, `${name.slice(0, 200)}.reason`), `${reason}\n`)
      await rename(join(path, 'new', name), join(path, folder, name))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw jobdirFailed(path, error) // gone: somebody moved it
    }
  }

  function scan(): Promise<void> {
    const done = running.then(pass)
    running = done.catch(() => {}) // told to whoever asked for it
    return done
  }

  return {
    scan,
    watch() {
      if (watcher !== undefined) return
      try {
        watcher = watch(join(path, 'new'), { persistent: false }, () => {
          soon ??= clock.timer(GATHER_MS, () => {
            soon = undefined
            scan().catch((error: unknown) => log.debug('scan failed', { error }))
          })
        })
        watcher.on('error', (error) => log.warn('file events do not come, jobs are found by scans', { path, error }))
      } catch (error) {
        log.warn('file events do not come, jobs are found by scans', { path, error })
      }
    },
    async [Symbol.asyncDispose]() {
      watcher?.close()
      soon?.[Symbol.dispose]()
      await running
    },
  }
}

/** Else it is the store, a stopped plugin or the folder: the job waits. */
function isTheJobs(error: unknown): error is CiError {
  return isRefusal(error) && error.code !== 'BOLT_TRY_JOBDIR'
}
