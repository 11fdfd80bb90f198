import type { Eta, PropertyMap, Result } from 'boltbot/plugin-sdk'
import { sql } from 'kysely'
import { buildStale } from '../errors.ts'
import type { BuildClaim } from './builds.ts'
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
      const { numInsertedOrUpdatedRows } = await trx
        .insertInto('steps')
        .columns(['build_id', 'number', 'name', 'text', 'started_at', 'logs'])
        .expression((eb) =>
          eb
            .selectFrom('builds')
            .select([
              sql<number>`${claim.build}`.as('build_id'),
              sql<number>`${step}`.as('number'),
              sql<string>`${name}`.as('name'),
              sql<string>`${text}`.as('text'),
              sql<number>`${store.now()}`.as('started_at'),
              sql<string>`'[]'`.as('logs'),
            ])
            .where('id', '=', claim.build)
            .where('epoch', '=', claim.epoch)
            .where('owner', '=', claim.owner)
            .where('state', '=', 'running'),
        )
        .executeTakeFirstOrThrow()
      if (numInsertedOrUpdatedRows === 0n) throw buildStale(claim.build, claim.epoch)
      tell('stepStarted', { build: claim.build, builder, number, step, name, text, ...(eta && { eta }) })
    },
    { patient: true },
  )
}

/** @throws CiError `BOLT_BUILDS_STALE` when the build was given to another claim. */
export function finishStep(store: Store, place: StepPlace, ended: EndedStep): Promise<void> {
  return store.transition(
    'finishStep',
    async (trx, tell) => {
      const { claim, step, name, builder, number } = place
      const { result, text } = ended
      const { numUpdatedRows } = await trx
        .updateTable('steps')
        .set({
          finished_at: store.now(),
          result,
          text,
          logs: JSON.stringify(ended.logs),
          properties: propertiesOf(ended),
        })
        .where('build_id', '=', claim.build)
        .where('number', '=', step)
        .where((eb) =>
          eb.exists(
            eb
              .selectFrom('builds')
              .select('builds.id')
              .where('builds.id', '=', claim.build)
              .where('builds.epoch', '=', claim.epoch)
              .where('builds.owner', '=', claim.owner)
              .where('builds.state', '=', 'running'),
          ),
        )
        .executeTakeFirstOrThrow()
      if (numUpdatedRows === 0n) throw buildStale(claim.build, claim.epoch)
      tell('stepFinished', { build: claim.build, builder, number, step, name, result, text })
    },
    { patient: true },
  )
}

const propertiesOf = ({ properties }: EndedStep) =>
  Object.keys(properties).length === 0 ? null : JSON.stringify(properties)
