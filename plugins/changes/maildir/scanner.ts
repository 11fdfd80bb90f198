import { CiError, type Host, isRefusal } from 'boltbot/plugin-sdk'
import type { ChangeOf } from './change-of.ts'
import { inDeliveryOrder } from './delivery-order.ts'
import { mailUnreadable } from './errors.ts'
import type { Folder } from './folder.ts'
import type { Mails } from './mails.ts'
import type { Watch } from './watch.ts'

/** Drains `new`, one pass at a time. What is in the folder is the truth; everything else only says when to look. */
export interface Scanner extends AsyncDisposable {
  /** A whole pass that begins after this call. @throws CiError when the folder or the store cannot be used. */
  scan(): Promise<void>
  /** Looks soon; what goes wrong shows at the next poll. */
  wake(): void
}

export interface ScannerDeps {
  readonly host: Pick<Host, 'log' | 'clock' | 'signal' | 'submitChange'>
  readonly folder: Folder
  readonly mails: Mails
  readonly changeOf: ChangeOf
  readonly watch: Watch | undefined
  /** After a failed pass, ms: polls back off for up to an hour, but a folder that is back should be seen soon. */
  readonly retryAfter: number
}

/** Mails of one pass: a poll is over when its pass is, however many wait. */
const PASS = 5000
/** Asked of the thread at once: it should always have something to do. */
const READING = 48
/** Read ahead of the one that is handed in, as long as their texts are not longer than this together. */
const AHEAD = 128
const HELD = 32 << 20
/** Handed in and not put away yet. */
const AT_ONCE = 128

export function createScanner({ host, folder, mails, changeOf, watch, retryAfter }: ScannerDeps): Scanner {
  const { log, clock, signal } = host
  let running: Promise<void> | undefined
  let queued: Promise<void> | undefined
  let retry: Disposable | undefined

  function scan(): Promise<void> {
    queued ??= (running ?? Promise.resolve())
      .catch(() => {})
      .then(() => {
        running = queued
        queued = undefined
        return pass().finally(() => {
          running = undefined
        })
      })
    return queued
  }

  function wake(): void {
    if (!signal.aborted) scan().catch((error: unknown) => log.debug('scan failed', { error }))
  }

  async function pass(): Promise<void> {
    if (signal.aborted) return
    retry?.[Symbol.dispose]()
    try {
      const identity = await folder.identity()
      const names = inDeliveryOrder(await folder.list())
      await drain(names.slice(0, PASS))
      if (signal.aborted) return
      if (names.length > PASS) wake()
      else watch?.follow(identity) // now `new` is short, and a watch on it cheap
    } catch (error) {
      if (signal.aborted) return
      retry = clock.timer(retryAfter, wake)
      throw error
    }
  }

  /** Decodes some mails ahead, hands them in one after the other, and moves each once its change is stored. */
  async function drain(names: readonly string[]): Promise<void> {
    const opened: { readonly name: string; readonly outcome: Promise<Outcome> }[] = []
    const underWay = new Set<Promise<void>>()
    let failure: { readonly error: unknown } | undefined
    let next = 0
    let reading = 0
    let held = 0
    const isOver = () => signal.aborted || failure !== undefined
    const refill = () => {
      while (!isOver() && next < names.length && reading < READING && opened.length < AHEAD && held < HELD) {
        const name = names[next++]!
        reading++
        const outcome = open(name).then((read) => {
          reading--
          held += sizeOf(read)
          refill()
          return read
        })
        opened.push({ name, outcome })
      }
    }
    for (refill(); !isOver(); refill()) {
      const first = opened.shift()
      if (first === undefined) {
        if (next === names.length) break
        await Promise.race(underWay) // their texts are long: the next ones wait until they are stored
        continue
      }
      const outcome = await first.outcome
      // Handed in in order, not waited for one by one: what comes together is stored by one write to the disk.
      const settled = settle(first.name, outcome)
        .catch((error: unknown) => {
          failure ??= { error }
        })
        .finally(() => {
          underWay.delete(settled)
          held -= sizeOf(outcome)
        })
      underWay.add(settled)
      if (underWay.size >= AT_ONCE) await Promise.race(underWay)
    }
    await Promise.all([...underWay, ...opened.map(({ outcome }) => outcome)])
    if (failure !== undefined) throw failure.error
  }

  async function open(name: string): Promise<Outcome> {
    try {
      const read = await mails.open(name)
      return read && { what: changeOf(read, name), size: read.mail.text.length }
    } catch (error) {
      return { error: error instanceof CiError ? error : mailUnreadable(error) }
    }
  }

  async function settle(name: string, outcome: Outcome): Promise<void> {
    if (outcome === null) return
    const file = Buffer.from(name, 'latin1').toString()
    try {
      if ('error' in outcome) throw outcome.error
      if ('ignored' in outcome.what) log.debug('mail ignored', { file, reason: outcome.what.ignored })
      else {
        const { change, duplicate } = await host.submitChange(outcome.what)
        log.debug('mail taken', { file, change: change.id, duplicate })
      }
    } catch (error) {
      if (!isTheMails(error)) throw error
      await folder.fail(name, `${error.code}: ${error.message}`)
      log.warn('mail cannot be taken, it is in the folder failed', { file, error })
      return
    }
    await mails.putAway(name)
  }

  return {
    scan,
    wake,
    async [Symbol.asyncDispose]() {
      await (queued ?? running)?.catch(() => {}) // told to whoever asked for it
      retry?.[Symbol.dispose]()
    },
  }
}

/** `null`: the mail is gone. */
type Outcome = { readonly what: ReturnType<ChangeOf>; readonly size: number } | { readonly error: unknown } | null

function sizeOf(outcome: Outcome): number {
  return outcome !== null && 'size' in outcome ? outcome.size : 0
}

/** Else it is the store, a stopped plugin or a folder that cannot be used: the mail waits. */
function isTheMails(error: unknown): error is CiError {
  return isRefusal(error) && error.code !== 'BOLT_MAILDIR_FOLDER'
}
