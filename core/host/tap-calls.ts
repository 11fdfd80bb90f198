import type { Clock, HookName, TapContext } from 'boltbot/plugin-sdk'
import { hostStopped, tapDeadline } from './errors.ts'
import type { AnyTap, Courier, Letter } from './mailbox.ts'
import type { Meter, Took } from './meter.ts'

export interface TapCallsDeps {
  readonly plugin: string
  readonly clock: Clock
  readonly meter: Meter
  readonly deadlineMs: number
  /** What a call took; told when it is much. */
  readonly took: (hook: HookName, took: Took) => void
  /** What came of a letter. */
  readonly worked: () => void
  readonly failed: (hook: HookName, error: unknown) => void
}

/** A call that took less has not made much of anything. */
const LONG_MS = 20

/** A tap that is done at once and has not looked at its signal leaves its context to the next one, of whatever plugin: it says nothing. */
let spare: Context | undefined

/** The calls of the taps of one plugin. A class for the reason `Mailbox` is one. */
export class TapCalls implements Courier {
  /** So many there were. */
  count = 0
  /** Failures of the plugin, in all. */
  errors = 0
  /** Milliseconds from call to answer, in all. */
  spentMs = 0
  #isOver = false
  readonly #flights = new Set<Flight>()
  readonly #meter: Meter
  readonly #deps: TapCallsDeps

  constructor(deps: TapCallsDeps) {
    this.#meter = deps.meter
    this.#deps = deps
  }

  deliver({ hook, tap, event }: Letter): Promise<void> | undefined {
    try {
      const given = this.call(hook, tap, event)
      if (isThenable(given)) return this.#landed(hook, given)
      if (this.errors > 0) this.#deps.worked()
    } catch (error) {
      this.#deps.failed(hook, error)
    }
    return undefined
  }

  /**
   * Gives what the tap gave, or throws what it threw, at once; a promise of that when it is async, and then not for ever: it rejects with
   * `BOLT_HOOKS_DEADLINE` when the tap hangs, and with `BOLT_HOST_STOPPED` when the plugin goes first. In these two cases the tap's own
   * signal is aborted with that reason, and what it does later is ignored.
   */
  call(hook: HookName, tap: AnyTap, event: unknown): unknown {
    if (this.#isOver) throw hostStopped(this.#deps.plugin)
    this.count++
    const context = spare ?? new Context()
    spare = undefined
    const began = this.#meter.begin()
    let given: unknown
    try {
      given = tap(event as never, context)
    } finally {
      const ms = performance.now() - began
      this.spentMs += ms
      if (ms >= LONG_MS) this.#deps.took(hook, { ms, bytes: this.#meter.grown() })
    }
    if (isThenable(given)) return this.#fly(hook, given, context)
    if (!context.isTaken) spare = context
    return given
  }

  /** Resolves when the calls that are under way now have ended. */
  settled(): Promise<unknown> {
    return Promise.allSettled([...this.#flights].map(({ promise }) => promise))
  }

  /** Hooks of the calls under way. */
  underWay(): readonly HookName[] {
    return [...this.#flights].map(({ hook }) => hook)
  }

  /** Gives up what is under way, and calls no more. */
  end(): void {
    this.#isOver = true
    for (const flight of this.#flights) flight.cut(hostStopped(this.#deps.plugin))
  }

  async #landed(hook: HookName, given: PromiseLike<unknown>): Promise<void> {
    try {
      await given
    } catch (error) {
      this.#deps.failed(hook, error)
      return
    }
    this.#deps.worked()
  }

  #fly(hook: HookName, given: PromiseLike<unknown>, context: Context): Promise<unknown> {
    const { plugin, clock, deadlineMs } = this.#deps
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    const began = clock.now()
    const timer = clock.timer(deadlineMs, () => flight.cut(tapDeadline(plugin, hook, deadlineMs)))
    const land = (): boolean => {
      if (!this.#flights.delete(flight)) return false // it was cut
      timer[Symbol.dispose]()
      this.spentMs += clock.now() - began
      return true
    }
    const flight: Flight = {
      hook,
      promise,
      cut(reason) {
        if (!land()) return
        reject(reason)
        context.abort(reason)
      },
    }
    this.#flights.add(flight)
    Promise.resolve(given).then(
      (value) => {
        if (land()) resolve(value)
      },
      (error) => {
        if (land()) reject(error)
      },
    )
    return promise
  }
}

interface Flight {
  readonly hook: HookName
  readonly promise: Promise<unknown>
  cut(reason: Error): void
}

/** Its signal is made when a tap looks at it. */
class Context implements TapContext {
  #controller: AbortController | undefined
  #over: Error | undefined

  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.#over !== undefined) this.#controller.abort(this.#over)
    return this.#controller.signal
  }

  /** True: somebody has its signal. */
  get isTaken(): boolean {
    return this.#controller !== undefined
  }

  abort(reason: Error): void {
    this.#over = reason
    this.#controller?.abort(reason)
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}
