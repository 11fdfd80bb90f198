import { setTimeout as sleep } from 'node:timers/promises'
import { itemsOf, textOf } from '../../../wire/pb/plain.ts'
import { RemoteReference } from '../../../wire/pb/values.ts'
import { tryNotFound } from '../errors.ts'
import type { PbClient } from '../pb-client.ts'

const PAUSE_MS = 1000
const TRIES = 60

/** The buildset of a job that was delivered: a master takes it up in its own time. @throws CiError `BOLT_CLI_TRY_NOT_FOUND`. */
export async function findJob({ perspective, lost, drop }: PbClient, id: string): Promise<RemoteReference> {
  for (let tries = 0; tries < TRIES; tries++) {
    const sets = itemsOf(await perspective.call('getBuildSets')).map(itemsOf)
    const found = sets.find(([, name]) => textOf(name) === id)?.[0]
    for (const [set] of sets) if (set instanceof RemoteReference && set !== found) drop(set)
    if (found instanceof RemoteReference) return found
    await Promise.race([sleep(PAUSE_MS), lost])
  }
  throw tryNotFound(id, (TRIES * PAUSE_MS) / 1000)
}
