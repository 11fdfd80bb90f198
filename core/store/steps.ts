import type { Eta, PropertyMap, Result } from 'boltbot/plugin-sdk'
import { sql } from 'kysely'
import { buildStale } from '../errors.ts'
import type { BuildClaim } from './builds.ts'
import { prepared } from './prepared.ts'
import type { Store } from './store.ts'

/** Where a step belongs, for its events. */
export interface StepPlace {
  readonly claim: BuildClaim
  readonly builder: string
  readonly number: number
  readonly step: number
  readonly name: string
}

export interface EndedStep {
  readonly result: Result
  readonly text: string
  readonly logs: readonly StepLog[]
  /** What it set. */
  readonly properties: PropertyMap
}

export interface StepLog {
  readonly name: string
  readonly bytes: number
}

/** @throws CiError `BOLT_BUILDS_STALE` when the build was given to another claim. */
export function startStep(store: Store, place: StepPlace, text: string, eta?: Eta): Promise<void> {
  return store.transition(
    'startStep',
    async (trx, tell) => {
      const { claim, step, name, builder, number } = place
      const { numAffectedRows } = await insertStep(trx, { ...claim, step, name, text, now: store.now() })
      if (numAffectedRows === 0n) throw buildStale(claim.build, claim.epoch)
      tell('stepStarted', { build: claim.build, builder, number, step, name, text, ...(eta && { eta }) })
    },
    { sparing: true },
  )
}

const insertStep = prepared((db, given: BuildClaim & { step: number; name: string; text: string; now: number }) =>
  db
    .insertInto('steps')
    .columns(['build_id', 'number', 'name', 'text', 'started_at', 'logs'])
    .expression((eb) =>
      eb
        .selectFrom('builds')
        .select([
          sql<number>`${given.build}`.as('build_id'),
          sql<number>`${given.step}`.as('number'),
          sql<string>`${given.name}`.as('name'),
          sql<string>`${given.text}`.as('text'),
          sql<number>`${given.now}`.as('started_at'),
          sql<string>`'[]'`.as('logs'),
        ])
        .where('id', '=', given.build)
        .where('epoch', '=', given.epoch)
        .where('owner', '=', given.owner)
        .where('state', '=', 'running'),
    ),
)

/** @throws CiError `BOLT_BUILDS_STALE` when the build was given to another claim. */
export function finishStep(store: Store, place: StepPlace, ended: EndedStep): Promise<void> {
  return store.transition(
    'finishStep',
    async (trx, tell) => {
      const { claim, step, name, builder, number } = place
      const { result, text } = ended
      const logs = JSON.stringify(ended.logs)
      const properties = propertiesOf(ended)
      const { numAffectedRows } = await updateEnded(trx, {
        ...claim,
        step,
        now: store.now(),
        result,
        text,
        logs,
        properties,
      })
      if (numAffectedRows === 0n) throw buildStale(claim.build, claim.epoch)
      tell('stepFinished', { build: claim.build, builder, number, step, name, result, text })
    },
    { sparing: true },
  )
}

const propertiesOf = ({ properties }: EndedStep) =>
  Object.keys(properties).length === 0 ? null : JSON.stringify(properties)

interface Ended extends BuildClaim {
  readonly step: number
  readonly now: number
  readonly result: string
  readonly text: string
  readonly logs: string
  readonly properties: string | null
}

const updateEnded = prepared((db, given: Ended) =>
  db
    .updateTable('steps')
    .set({
      finished_at: given.now,
      result: given.result,
      text: given.text,
      logs: given.logs,
      properties: given.properties,
    })
    .where('build_id', '=', given.build)
    .where('number', '=', given.step)
    .where((eb) =>
      eb.exists(
        eb
          .selectFrom('builds')
          .select('builds.id')
          .where('builds.id', '=', given.build)
          .where('builds.epoch', '=', given.epoch)
          .where('builds.owner', '=', given.owner)
          .where('builds.state', '=', 'running'),
      ),
    ),
)
