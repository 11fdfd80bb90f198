import type { Clock, Log } from 'boltbot/plugin-sdk'
import { withDeadline } from './deadline.ts'
import { disposeDeadline, hostStopped, notDisposable } from './errors.ts'

/** What one plugin has opened: closed at its stop, the last first, each with a deadline. */
export interface OwnedThings {
  /** `Host.own`. Gives the thing back. @throws CiError when it cannot be closed, or the plugin is stopped: then it is closed at once. */
  own<T extends Disposable | AsyncDisposable>(thing: T): T
  /** As `own`, under a name for the log. */
  keep(thing: Disposable | AsyncDisposable, what: string): void
  /** Closes one thing now. Never rejects. */
  close(thing: Disposable | AsyncDisposable, what: string): Promise<void>
  closeAll(): Promise<void>
  readonly isClosed: boolean
}

export interface OwnedThingsDeps {
  readonly plugin: string
  readonly clock: Clock
  readonly log: Log
  /** For each thing. */
  readonly ms: number
}

export function createOwnedThings({ plugin, clock, log, ms }: OwnedThingsDeps): OwnedThings {
  const stack = new AsyncDisposableStack()
  const close: OwnedThings['close'] = async (thing, what) => {
    try {
      const done = Symbol.asyncDispose in thing ? thing[Symbol.asyncDispose]() : thing[Symbol.dispose]()
      await withDeadline(done, { clock, ms, late: () => disposeDeadline(plugin, what, ms) })
    } catch (error) {
      log.error('plugin could not close something', { what, error })
    }
  }
  const keep: OwnedThings['keep'] = (thing, what) => stack.defer(() => close(thing, what))

  return {
    own(thing) {
      if (!isDisposable(thing)) throw notDisposable(plugin, 'owns something')
      if (!stack.disposed) {
        keep(thing, nameOf(thing))
        return thing
      }
      void close(thing, nameOf(thing)) // too late to be owned, not too late to be closed
      throw hostStopped(plugin)
    },
    keep,
    close,
    closeAll: () => stack.disposeAsync(),
    get isClosed() {
      return stack.disposed
    },
  }
}

export function isDisposable(thing: unknown): thing is Disposable | AsyncDisposable {
  return typeof thing === 'object' && thing !== null && (Symbol.asyncDispose in thing || Symbol.dispose in thing)
}

function nameOf(thing: object): string {
  const name: unknown = thing.constructor?.name
  return typeof name === 'string' && name !== '' && name !== 'Object' ? `a ${name}` : 'something it owned'
}
