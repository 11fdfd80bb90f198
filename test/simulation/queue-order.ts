import type { Waiting } from './standing.ts'
import type { World } from './world.ts'

/** Of what waited in a builder's queue when all was settled, the first goes first: by priority, interrupted ones before others, by age. */
export function createQueueOrder(world: World): { look(waiting: readonly Waiting[]): void } {
  let queue = new Map<number, Waiting>()
  let at = 0
  /** A slave that does not answer its ping, or a refused claim, holds one request up while the next one starts elsewhere. */
  let heldUp = Number.NEGATIVE_INFINITY
  let refused = 0
  /** One that was passed by a younger one: when two are being started at once, either is claimed first, so it may start in the same instant. */
  let passed: { readonly other: number; readonly at: number; readonly message: string } | undefined

  const isInterrupted = (request: Waiting) => world.history.requests.get(request.id)?.interrupted === true
  const isBefore = (a: Waiting, b: Waiting) => {
    const interrupted = (request: Waiting) => (isInterrupted(request) ? 0 : 1)
    const order = [b.priority - a.priority, interrupted(a) - interrupted(b), a.id - b.id]
    return (order.find((difference) => difference !== 0) ?? 0) < 0
  }

  function noteHeldUp(): void {
    const muted = [...world.slaves.values()].some((slave) => slave.muted)
    if (muted || world.faults.refused !== refused) heldUp = world.clock.now()
    refused = world.faults.refused
  }

  world.onEvent(({ name, event }) => {
    if (name === 'requestCancelled' || (name === 'requestQueued' && event.cause === 'retry'))
      queue.delete(event.request)
    if (name !== 'buildStarted') return
    if (passed !== undefined && event.requests.includes(passed.other) && passed.at === world.clock.now())
      passed = undefined
    noteHeldUp()
    const started = event.requests.flatMap((id) => queue.get(id) ?? [])
    for (const id of event.requests) queue.delete(id)
    if (started.length < event.requests.length) return // some came later: nothing is known of their rank
    const first = started.reduce((a, b) => (isBefore(b, a) ? b : a))
    if (world.clock.now() - heldUp < 60_000) return
    // A start that is claimed under one config may have been chosen under the one before.
    const plans = world.plansSince(world.clock.now() - 15_000)
    if (plans.some((plan) => plan.builders.get(event.builder)?.youngestFirst)) return
    for (const other of queue.values()) {
      if (other.builder !== event.builder || other.notBefore > at || !isBefore(other, first)) continue
      const message = `request ${first.id} of ${event.builder} began before request ${other.id}`
      if (isInterrupted(other)) world.verdict.broken('interrupted requests go first, then the oldest', message)
      else passed ??= { other: other.id, at: world.clock.now(), message }
    }
  })

  return {
    look(waiting) {
      if (passed !== undefined) world.verdict.broken('interrupted requests go first, then the oldest', passed.message)
      queue = new Map(waiting.map((request) => [request.id, request]))
      at = world.clock.now()
      noteHeldUp()
    },
  }
}
