import type { Host } from 'boltbot/plugin-sdk'
import { type FSWatcher, watch as watchFiles } from 'chokidar'

/** Says that something came into `new`. It may miss things: scans find them. */
export interface Watch extends AsyncDisposable {
  /** Watches the folder of this identity from now on, if it does not do so already. */
  follow(identity: string): void
}

/** Deliveries come in bursts. */
const GATHER_MS = 50

export function createWatch({ clock, log }: Pick<Host, 'clock' | 'log'>, path: string, wake: () => void): Watch {
  const closing = new Set<Promise<void>>()
  let current: { readonly identity: string; readonly watcher: FSWatcher } | undefined
  let gathering: Disposable | undefined
  let over = false

  function soon(): void {
    if (over || gathering !== undefined) return
    gathering = clock.timer(GATHER_MS, () => {
      gathering = undefined
      wake()
    })
  }

  function close(): void {
    if (current === undefined) return
    const closed = current.watcher.close().finally(() => closing.delete(closed))
    closing.add(closed)
    current = undefined
  }

  return {
    follow(identity) {
      if (over || current?.identity === identity) return
      close()
      const watcher = watchFiles(path, { depth: 0, ignoreInitial: true })
      const mine = { identity, watcher }
      current = mine
      watcher.on('add', soon)
      watcher.on('unlinkDir', soon)
      watcher.on('ready', soon) // what came between the scan and now gave no event
      watcher.on('error', (error) => {
        if (current !== mine) return
        log.warn('file events do not come, mails are found by scans', { path, error })
        close()
        // Remembered as watched, so that every scan does not fail at it again; a new folder is a new try.
        current = { identity, watcher }
      })
    },
    async [Symbol.asyncDispose]() {
      over = true
      gathering?.[Symbol.dispose]()
      close()
      await Promise.all(closing)
    },
  }
}
