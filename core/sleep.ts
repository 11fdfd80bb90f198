import type { Clock } from 'boltbot/plugin-sdk'

/** The sleep of a clock, made of its timers. */
export function sleepBy(timer: Clock['timer']): Clock['sleep'] {
  return (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const abort = () => {
        handle[Symbol.dispose]()
        reject(signal?.reason)
      }
      const handle = timer(ms, () => {
        signal?.removeEventListener('abort', abort)
        resolve()
      })
      signal?.addEventListener('abort', abort, { once: true })
    })
}
