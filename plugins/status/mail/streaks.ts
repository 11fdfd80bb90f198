import { createHash } from 'node:crypto'
import { type BuildFinished, type BuildView, failureKind, type Host, type Result } from 'boltbot/plugin-sdk'

/** How a build stands to the one before it, for people. */
export type Standing = 'first failure' | 'new kind of failure' | 'still failing' | 'fixed' | Result

/** Builds of one builder and branch that failed one after the other; what mends them belongs to it. Its mails are one thread. */
export type Streak = {
  /** Number of the first build; `null`: it began before anybody took note. */
  readonly since: number | null
  /** Stands at the head of the thread. No mail has it, so that no mail has to be the first. */
  readonly root: string
  /** The Message-ID of the first mail. */
  readonly first: string
  /** What failed, to tell a new kind of failure. */
  readonly kind: string
}

export interface Told {
  readonly standing: Standing
  /** `null`: the mail is in no thread. */
  readonly streak: Streak | null
}

/** Kept of each builder and branch. An event that comes again finds what was before it. */
type Note = { readonly event: number; readonly before: Streak | null; readonly after: Streak | null }

/** `kind` says what failed: the first failing step. The note is stored when this resolves. */
export async function noteStreak(
  host: Pick<Host, 'id' | 'state'>,
  event: BuildFinished,
  kind: string,
  messageId: string,
): Promise<Told> {
  const { result, previousResult, builder, branch, number } = event
  if (!isRed(result) && !isGreen(result)) return { standing: result, streak: null }
  const key = `streak:${JSON.stringify([builder, branch])}`
  // Only this file writes it.
  const note = ((await host.state.get(key)) ?? null) as Note | null
  const before = note !== null && note.event >= event.eventId ? note.before : (note?.after ?? null)
  const wasRed = isRed(previousResult)
  const old = wasRed ? before : null
  const running: Streak = old ?? {
    since: wasRed ? null : number,
    root: rootOf(host.id, event, messageId),
    first: messageId,
    kind,
  }
  const standing = standingOf(event, old !== null && old.kind !== kind)
  const after = isRed(result) ? { ...running, kind } : null
  // While nothing changes, an event that comes again finds the same without a note of its own.
  const changes = JSON.stringify(before) !== JSON.stringify(after)
  if (changes && (note === null || note.event < event.eventId)) {
    await host.state.set(key, { event: event.eventId, before, after })
  }
  return { standing, streak: isRed(result) || standing === 'fixed' ? running : null }
}

function standingOf({ result, previousResult }: BuildFinished, otherKind: boolean): Standing {
  if (!isRed(result)) return isGreen(result) && isRed(previousResult) ? 'fixed' : result
  if (!isRed(previousResult)) return 'first failure'
  return otherKind ? 'new kind of failure' : 'still failing'
}

/** How a build stood to the one before it, without notes. */
export function standingAfter(build: BuildView, event: BuildFinished, before: BuildView | null): Standing {
  return standingOf(event, before !== null && isRed(before.result) && failureKind(before) !== failureKind(build))
}

function rootOf(plugin: string, { builder, branch, build }: BuildFinished, messageId: string): string {
  const digest = createHash('sha256')
    .update(JSON.stringify([plugin, builder, branch, build, messageId]))
    .digest('hex')
  return `<boltbot.streak.${digest.slice(0, 24)}@${messageId.slice(messageId.lastIndexOf('@') + 1)}`
}

export function isRed(result: Result | null): boolean {
  return result === 'failure' || result === 'exception'
}

function isGreen(result: Result): boolean {
  return result === 'success' || result === 'warnings'
}
