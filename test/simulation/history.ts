import { type Result, worst } from 'boltbot/plugin-sdk'
import type { StoredEvent } from '../../core/store/store.ts'
import type { Verdict } from './verdict.ts'

/** What the journal says happened, followed event by event; each event must fit those before it. */
export interface History {
  follow(event: StoredEvent): void
  readonly requests: ReadonlyMap<number, KnownRequest>
  readonly builds: ReadonlyMap<number, KnownBuild>
  /** All that run, oldest first. */
  running(): readonly KnownBuild[]
  readonly events: readonly StoredEvent[]
}

export interface KnownRequest {
  readonly id: number
  readonly builder: string
  readonly buildset: number
  state: 'waiting' | 'building' | 'finished'
  /** Its build was taken from it before. */
  interrupted: boolean
  result: Result | null
}

export interface KnownBuild {
  readonly id: number
  readonly builder: string
  readonly number: number
  readonly slave: string
  readonly requests: readonly number[]
  readonly steps: Map<number, 'running' | 'finished'>
  state: 'running' | 'finished'
}

interface KnownBuildset {
  readonly requests: Set<number>
  finished: boolean
}

export function createHistory({ broken }: Verdict): History {
  const requests = new Map<number, KnownRequest>()
  const builds = new Map<number, KnownBuild>()
  const running = new Map<number, KnownBuild>()
  const buildsets = new Map<number, KnownBuildset>()
  const numbers = new Map<string, number>()
  const events: StoredEvent[] = []

  function end(id: number, result: Result, from: KnownRequest['state']): void {
    const request = requests.get(id)
    if (request?.state !== from) {
      broken('a request ends exactly once', `request ${id} was ${request?.state} and ended with ${result}`)
      return
    }
    request.state = 'finished'
    request.result = result
  }

  function startBuild(event: Extract<StoredEvent, { readonly name: 'buildStarted' }>['event']): void {
    const { build: id, builder, number, slave } = event
    const build: KnownBuild = {
      id,
      builder,
      number,
      slave,
      requests: event.requests,
      steps: new Map(),
      state: 'running',
    }
    const next = numbers.get(builder) ?? 0
    if (number !== next) broken('build numbers have no gaps', `${builder} #${number} came where #${next} was due`)
    numbers.set(builder, next + 1)
    const beside = [...running.values()].find((other) => other.builder === builder && other.slave === slave)
    if (beside !== undefined) {
      const message = `${builder} #${number} began on ${slave} beside #${beside.number}`
      broken('one build per builder and slave, and no more than maxBuilds', message)
    }
    for (const request of event.requests) {
      const known = requests.get(request)
      if (known?.state !== 'waiting')
        broken('a request ends exactly once', `request ${request} was ${known?.state} when ${builder} #${number} began`)
      else known.state = 'building'
    }
    builds.set(id, build)
    running.set(id, build)
  }

  function finishBuild(event: Extract<StoredEvent, { readonly name: 'buildFinished' }>['event']): void {
    const { build: id, builder, number, result } = event
    const build = running.get(id)
    if (build === undefined) {
      const message = `${builder} #${number} was no longer running and ended with ${result}`
      broken('nothing is written about a build that has ended', message)
      return
    }
    build.state = 'finished'
    running.delete(id)
    for (const request of event.requests) {
      if (result !== 'retry') end(request, result, 'building')
    }
  }

  function step(event: { readonly build: number; readonly step: number }, to: 'running' | 'finished'): void {
    const build = running.get(event.build)
    const was = build?.steps.get(event.step)
    if (build === undefined || was !== (to === 'running' ? undefined : 'running')) {
      const message = `step ${event.step} of build ${event.build} is ${to}; it was ${was ?? 'not there'}`
      broken('nothing is written about a build that has ended', message)
      return
    }
    build.steps.set(event.step, to)
  }

  function follow(stored: StoredEvent): void {
    events.push(stored)
    switch (stored.name) {
      case 'buildsetCreated':
        buildsets.set(stored.event.buildset, { requests: new Set(), finished: false })
        break
      case 'requestQueued': {
        const { request: id, buildset, builder, cause } = stored.event
        const known = requests.get(id)
        if (cause === 'submitted' ? known !== undefined : known?.state !== 'building') {
          const message = `request ${id} was ${known?.state} when it was queued (${cause})`
          broken('a request ends exactly once', message)
        }
        if (known === undefined) buildsets.get(buildset)?.requests.add(id)
        const interrupted = cause === 'retry'
        requests.set(id, { id, builder, buildset, state: 'waiting', interrupted, result: null })
        break
      }
      case 'requestCancelled':
        end(stored.event.request, 'cancelled', 'waiting')
        break
      case 'buildStarted':
        startBuild(stored.event)
        break
      case 'buildFinished':
        finishBuild(stored.event)
        break
      case 'stepStarted':
        step(stored.event, 'running')
        break
      case 'stepFinished':
        step(stored.event, 'finished')
        break
      case 'buildsetFinished': {
        const { buildset: id, result } = stored.event
        const buildset = buildsets.get(id)
        const results = [...(buildset?.requests ?? [])].map((request) => requests.get(request)?.result ?? null)
        const expected = results.reduce((a, b) => (a === null || b === null ? null : worst(a, b)), results[0] ?? null)
        if (buildset === undefined || buildset.finished || expected !== result) {
          const message = `buildset ${id} ended with ${result}; its requests: ${results.join(', ')}`
          broken('a buildset ends with its last request, and as badly as the worst', message)
        } else buildset.finished = true
        break
      }
    }
  }

  return { follow, requests, builds, running: () => [...running.values()], events }
}
