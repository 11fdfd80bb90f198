import {
  type BuildsetId,
  type Clock,
  type HookEvent,
  type HookValue,
  hasCode,
  type Log,
  type QueuedRequest,
  type Random,
  type RequestId,
} from 'boltbot/plugin-sdk'
import type { BuilderSpec } from '../config/model.ts'
import { configFunctionSlow } from '../errors.ts'
import type { SlavePool } from '../slave-pool.ts'
import { readBuildsets } from '../store/buildsets.ts'
import { firstWaiting, sameKeyWaiting, type WaitingRequest } from '../store/requests.ts'
import type { Store } from '../store/store.ts'

/**
 * Which request, on which slave, together with which others: the builder's own functions are asked first, then the hooks, and
 * with no answer core decides. What fails, hangs or answers what was not offered counts as no answer.
 */
export interface Choices {
  /** How many waiting requests `request` wants to see. */
  wanted(builder: BuilderSpec): number
  request(builder: BuilderSpec, candidates: readonly WaitingRequest[]): Promise<WaitingRequest>
  /** The slave to take, first; those behind it are as good. `aim` is where it waits in a row already. */
  slaves(
    builder: BuilderSpec,
    request: WaitingRequest,
    free: readonly string[],
    aim: Aim | undefined,
  ): Promise<readonly string[]>
  /** The request, and behind it those that are built with it, in queue order. */
  merged(
    builder: BuilderSpec,
    request: WaitingRequest,
    isStarting: (id: number) => boolean,
  ): Promise<readonly WaitingRequest[]>
}

/** Where a builder waits in a row for locks, and with which request it came there. */
export interface Aim {
  readonly request: RequestId
  readonly slave: string
}

export interface ChoicesDeps {
  readonly pool: Pick<SlavePool, 'mustStart'>
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly choose: <Name extends 'chooseRequest' | 'chooseSlave'>(
    name: Name,
    event: HookEvent<Name>,
  ) => Promise<HookValue<Name>>
  readonly isUsed: (name: 'chooseRequest' | 'chooseSlave') => boolean
}

const OFFERED = 50

export function createChoices(deps: ChoicesDeps): Choices {
  const { store } = deps
  const ask = createAsker(deps)

  async function withWhatTheyAsk(requests: readonly WaitingRequest[]): Promise<readonly QueuedRequest[]> {
    const ids = [...new Set(requests.map((request) => request.buildset))]
    const asked = new Map<BuildsetId, Awaited<ReturnType<typeof readBuildsets>>[number]>()
    const found = await readBuildsets(store.db, ids)
    for (const [index, id] of ids.entries()) asked.set(id, found[index]!)
    return requests.map((request) => ({ ...request, ...asked.get(request.buildset)! }))
  }

  async function mergedByFunction(
    { name, mergeRequests }: BuilderSpec,
    request: WaitingRequest,
    isStarting: (id: number) => boolean,
  ): Promise<readonly WaitingRequest[]> {
    if (typeof mergeRequests !== 'function') return []
    const waiting = await firstWaiting(store.db, name, store.now(), OFFERED + 1, [])
    const others = waiting.filter(({ id, mergeKey }) => id !== request.id && mergeKey !== null && !isStarting(id))
    if (others.length === 0) return []
    const [first, ...offered] = await withWhatTheyAsk([request, ...others])
    const chosen: WaitingRequest[] = []
    for (const [index, other] of offered.entries()) {
      const together = await ask(name, 'mergeRequests', () => mergeRequests(name, first!, other))
      if (together === true) chosen.push(others[index]!)
    }
    return chosen
  }

  return {
    wanted: ({ nextBuild }) => (nextBuild !== null || deps.isUsed('chooseRequest') ? OFFERED : 1),
    async request({ name, nextBuild }, candidates) {
      const first = candidates[0]!
      const byId = (id: unknown) => candidates.find((candidate) => candidate.id === id)
      if (nextBuild !== null) {
        const offered = await withWhatTheyAsk(candidates)
        const given = await ask(name, 'nextBuild', () => nextBuild(name, offered))
        const chosen = byId(typeof given === 'object' ? given?.id : given)
        if (chosen !== undefined) return chosen
      }
      if (!deps.isUsed('chooseRequest')) return first
      return byId(await deps.choose('chooseRequest', { builder: name, requests: candidates })) ?? first
    },
    async slaves({ name, nextSlave }, request, free, aim) {
      // Not the slave that was lost with it, when there is another.
      const others = request.losses > 0 ? free.filter((slave) => slave !== request.lastSlave) : free
      const slaves = others.length > 0 ? others : free
      if (slaves.length === 0) return []
      // It keeps its place in the row for a lock of a slave: there it does not choose anew each time.
      const place = aim !== undefined && slaves.includes(aim.slave) ? aim.slave : undefined
      // For another request others may choose otherwise.
      const kept = aim?.request === request.id ? place : undefined
      if (nextSlave !== null) {
        const chosen = kept ?? (await ask(name, 'nextSlave', () => nextSlave(name, slaves)))
        if (chosen !== undefined && slaves.includes(chosen)) return [chosen]
      }
      if (deps.isUsed('chooseSlave')) {
        const chosen = kept ?? (await deps.choose('chooseSlave', { builder: name, request: request.id, slaves }))
        if (chosen !== undefined && slaves.includes(chosen)) return [chosen]
      }
      // What is here already is used before another machine is started.
      const here = slaves.filter((slave) => !deps.pool.mustStart(slave))
      const best = here.length > 0 ? here : slaves
      const first = place ?? best[Math.floor(deps.random.next() * best.length)]!
      return [...new Set([first, ...here, ...slaves])]
    },
    async merged(builder, request, isStarting) {
      if (request.mergeKey === null || builder.mergeRequests === false) return [request]
      if (typeof builder.mergeRequests === 'function')
        return [request, ...(await mergedByFunction(builder, request, isStarting))]
      const same = await sameKeyWaiting(store.db, builder.name, store.now(), request.mergeKey)
      return [request, ...same.filter(({ id }) => id !== request.id && !isStarting(id))]
    },
  }
}

/** Asks a function of the config; `undefined` when it throws, rejects or takes too long. */
export function createAsker({ clock, log }: Pick<ChoicesDeps, 'clock' | 'log'>) {
  return async <T>(builder: string | null, option: string, call: () => T | Promise<T>): Promise<T | undefined> => {
    const over = Promise.withResolvers<never>()
    const about = builder === null ? { option } : { builder, option }
    try {
      const answer = call()
      if (!(answer instanceof Promise)) return answer
      using _timer = clock.timer(DEADLINE_MS, () => over.reject(configFunctionSlow(option, DEADLINE_MS / 1000)))
      return await Promise.race([answer, over.promise])
    } catch (error) {
      const what = hasCode(error, 'BOLT_CONFIG_FUNCTION_SLOW') ? 'is too slow' : 'failed'
      log.error(`a function of the config ${what}; it is as if it had said nothing`, { ...about, error })
      return undefined
    }
  }
}

const DEADLINE_MS = 30_000
