import { statSync } from 'node:fs'
import { CiError, type Finding, messageOf, type Secrets } from 'boltbot/plugin-sdk'
import type { StoreSpec } from '../../config/model.ts'
import { layout } from '../../master-deps.ts'
import type { StoreHealth } from '../../store/health.ts'
import { inspectDatabase } from '../../store/inspect.ts'
import { type PostgresPlace, placeOf } from '../../store/postgres/place.ts'
import { callMaster } from '../control-client.ts'

/** What was found, and when the newest event in it was stored. */
export interface DatabaseFinding {
  readonly finding: Finding
  readonly lastEvent: number | null
}

const what = 'database'
const MIB = 1024 ** 2
const ANSWER_MS = 10_000

/** The database of the config; of a base directory whose config cannot be read, its own file. */
export async function checkDatabase(
  basedir: string,
  store: StoreSpec | null,
  secrets: Secrets,
  isRunning: boolean,
): Promise<DatabaseFinding> {
  try {
    return store === null
      ? await (isRunning ? askMaster(basedir) : checkFile(layout(basedir).database))
      : await checkPostgres(placeOf(store, secrets))
  } catch (error) {
    return { finding: { what, verdict: 'fail', text: messageOf(error) }, lastEvent: null }
  }
}

/** The running master alone may read its file, so it is asked. */
async function askMaster(basedir: string): Promise<DatabaseFinding> {
  try {
    const late = AbortSignal.timeout(ANSWER_MS)
    const { schema, lastEvent } = await callMaster<StoreHealth>(basedir, 'database', {}, undefined, late)
    const text = `The running master stores in it; ${sizeOf(layout(basedir).database)}, schema ${schema}. Damage is looked for when it is stopped.`
    return found({ verdict: 'ok', text }, lastEvent)
  } catch (error) {
    const text = `The running master has it open, and could not store in it: ${messageOf(error)}`
    const cure = error instanceof CiError && error.hint !== undefined ? error.hint : 'See the log of the master.'
    return found({ verdict: 'fail', text, cure })
  }
}

function checkFile(file: string): DatabaseFinding {
  if (statSync(file, { throwIfNoEntry: false }) === undefined)
    return found({ verdict: 'ok', text: 'There is none yet: the first start makes it.' })
  const cure = 'Stop the master, put the file aside and take the last good copy of it.'
  let facts: ReturnType<typeof inspectDatabase>
  try {
    facts = inspectDatabase(file)
  } catch (error) {
    if (isLocked(error))
      return found({ verdict: 'fail', text: 'Another program has it open.', cure: 'End that program.' })
    return found({ verdict: 'fail', text: `It cannot be read: ${messageOf(error)}.`, cure })
  }
  const { damage, schema, lastEvent } = facts
  if (damage.length > 0)
    return found({ verdict: 'fail', text: `It is damaged: ${damage.join('; ')}.`, cure }, lastEvent)
  if (schema === null) return found({ verdict: 'fail', text: `${file} is the database of another program.`, cure })
  return found({ verdict: 'ok', text: `It is sound; ${sizeOf(file)}, schema ${schema}.` }, lastEvent)
}

function found(finding: Omit<Finding, 'what'>, lastEvent: number | null = null): DatabaseFinding {
  return { finding: { what, ...finding }, lastEvent }
}

const sizeOf = (file: string) => `${(statSync(file).size / MIB).toFixed(1)} MiB`

const SQLITE_BUSY = 5

function isLocked(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY
}

async function checkPostgres(place: PostgresPlace): Promise<DatabaseFinding> {
  const { inspectPostgres } = await import('../../store/postgres/inspect.ts')
  const { version, schema, bytes, lastEvent, syncs, mayMakeTables } = await inspectPostgres(place)
  const about = `PostgreSQL ${version} answers; ${(bytes / MIB).toFixed(1)} MiB, ${schema === null ? 'no tables yet' : `schema ${schema}`}.`
  if (!mayMakeTables) {
    const cure =
      'As its owner: grant create on the schema "public" to the user of the master, or make that user its owner.'
    return found({ verdict: 'fail', text: `${about} The master may not make tables in it.`, cure }, lastEvent)
  }
  if (!syncs) {
    const cure = 'Set fsync = on in postgresql.conf.'
    return found(
      { verdict: 'warn', text: `${about} What it has stored does not survive a power cut.`, cure },
      lastEvent,
    )
  }
  return found({ verdict: 'ok', text: about }, lastEvent)
}
