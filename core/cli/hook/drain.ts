import { setTimeout as sleep } from 'node:timers/promises'
import { type ChangeInput, type Json, messageOf } from 'boltbot/plugin-sdk'
import type { HookCommit, HookRoom } from '../../../plugins/vc/hook-room.ts'
import type { HookQueue, QueuedReport } from './queue.ts'
import { ROOMS } from './rooms.ts'
import { createSender, type Sender } from './sender.ts'
import type { HookSettings } from './settings.ts'

/** What came of it. */
export interface Drained {
  readonly sent: number
  readonly refused: number
  /** Why something is left; `null`: nothing is, or another process is at it. */
  readonly problem: string | null
  /** It is only much: the time was over, but not by waiting for a master that does not answer. */
  readonly isLate: boolean
}

export interface DrainDeps {
  readonly folder: string
  readonly queue: HookQueue
  readonly settings: HookSettings
  readonly log: (text: string) => void
  /** Ends it, whatever is left. */
  readonly signal: AbortSignal
  /** Waits for another process that is at it, and leaves nothing to it. */
  readonly isPatient: boolean
}

/** A commit of thousands of changes is a flood that helps nobody: the oldest are left out, and the log says which. */
const MOST = 1000
const MAX_COMMENTS = 200_000
/** A report that cannot be read so often is put aside. */
const TRIES = 3
const PAUSE_MS = 100

/**
 * Reads what hooks were told and sends it, in order, until nothing is left, something goes wrong or the time is over. One process does
 * it at a time; who finds another at it leaves it to that one, which looks again when it has ended.
 */
export async function drain(deps: DrainDeps): Promise<Drained> {
  const { queue, signal, isPatient } = deps
  const count: Count = { sent: 0, refused: 0, isWaiting: false }
  try {
    while (queue.list().length > 0) {
      using lock = queue.lock()
      if (lock !== null) await empty(deps, count)
      else if (isPatient) await sleep(PAUSE_MS, undefined, { signal })
      else break
    }
    return { ...count, problem: null, isLate: false }
  } catch (error) {
    const isLate = signal.aborted && !count.isWaiting
    return { ...count, problem: isLate ? 'There was no time for more.' : messageOf(error), isLate }
  }
}

interface Count {
  sent: number
  refused: number
  /** For a master that has not said anything yet. */
  isWaiting: boolean
}

async function empty(deps: DrainDeps, count: Count): Promise<void> {
  const { folder, queue, settings, signal } = deps
  // All that hooks were told is read first: what it is about may be gone when the master is back.
  let sender: Sender | undefined
  try {
    for (;;) {
      await readReports(deps)
      const next = queue.list().find(({ isRead }) => isRead)
      if (next === undefined) return
      if (sender === undefined) count.isWaiting = true
      sender ??= createSender(folder, settings, signal)
      await deliver(deps, next.name, sender, count)
    }
  } finally {
    sender?.[Symbol.dispose]()
  }
}

async function deliver({ queue, log, signal }: DrainDeps, ticket: string, sender: Sender, count: Count): Promise<void> {
  for (const item of queue.waiting(ticket)) {
    signal.throwIfAborted()
    const reason = await sender.send(item)
    count.isWaiting = false
    const { branch, revision } = item.change
    const what = `${branch ?? ''} ${revision ?? ''}`.trim()
    if (reason !== null) {
      queue.fail(item.change, reason)
      log(`"${sender.master}" refuses ${what}: ${reason}`)
      count.refused++
    } else {
      log(`sent ${what} to "${sender.master}"`)
      count.sent++
    }
    queue.sent(ticket)
  }
  queue.drop(ticket)
}

/** Those of one repository at a time, in order. */
async function readReports(deps: DrainDeps): Promise<void> {
  const { queue, log, signal } = deps
  for (;;) {
    const told = queue.list().filter(({ isRead }) => !isRead)
    const all = told.map(({ name }) => ({ name, report: queue.report(name) }))
    const first = all[0]
    if (first === undefined) return
    const { kind, repository } = first.report
    const room = await roomOf(kind)
    const same = all.filter(({ report }) => report.kind === kind && report.repository === repository)
    const batch = same.filter(({ report }) => room.isWhole?.(report.event, Date.now()) ?? true)
    if (batch.length === 0) {
      if (queue.list().some(({ isRead }) => isRead)) return // those are over already
      await sleep(PAUSE_MS, undefined, { signal })
      continue
    }
    const names = batch.map(({ name }) => name)
    try {
      const { changes, position } = await changesOf(
        deps,
        room,
        batch.map(({ report }) => report),
      )
      queue.keep(names, changes, position)
    } catch (error) {
      if (signal.aborted || queue.countTry(names[0]!) < TRIES) throw error
      for (const { name, report } of batch) {
        queue.fail(report, messageOf(error))
        queue.drop(name)
      }
      log(`put aside what could not be read ${TRIES} times: ${messageOf(error)}`)
    }
  }
}

async function changesOf(
  { queue, settings, log, signal }: DrainDeps,
  room: HookRoom,
  reports: readonly QueuedReport[],
): Promise<{ readonly changes: readonly ChangeInput[]; readonly position: Json | undefined }> {
  const repository = settings.repository ?? reports[0]!.repository
  const { branches, tags, branch = null, layout = 'plain' } = settings
  const how = { repository, branches, tags, branch, layout, position: queue.position, signal }
  const { commits, position } = await room.read(
    reports.map(({ event }) => event),
    how,
  )
  const left = commits.length - MOST
  if (left > 0) log(`${left} commits up to ${commits[left - 1]!.revision} are left out: ${MOST} at once are the most`)
  const changes = commits.slice(-MOST).map((commit) => changeOf(commit, repository, settings))
  return { changes, position }
}

function changeOf(commit: HookCommit, repository: string, settings: HookSettings): ChangeInput {
  const { project, codebase, category, revlink } = settings
  return {
    repository,
    ...(project !== undefined && { project }),
    ...commit,
    comments: commit.comments.slice(0, MAX_COMMENTS),
    ...(codebase !== undefined && { codebase }),
    ...(category !== undefined && { category }),
    ...(revlink !== undefined &&
      commit.revision && { revlink: revlink.replaceAll('%s', encodeURIComponent(commit.revision)) }),
  }
}

const roomOf = (kind: string): Promise<HookRoom> => ROOMS[kind]!()
