import { durationMs, type LatentOptions, type SlaveOptions } from 'boltbot/plugin-sdk'
import type { CheckedPlugin } from './check-plugins.ts'
import type { LatentSpec } from './model.ts'
import type { Report, Reporter, Subject } from './report.ts'
import { checkFields, duration, type Fields, isRecord, jsonRecord, knownNames, type Rule, text } from './rules.ts'

const engine: Rule = (value) =>
  text(value) === undefined || (isRecord(value) && value.kind === 'plugin') ? undefined : 'a plugin, or the id of one'

const FIELDS = {
  engine: { rule: engine, required: true },
  buildWaitTimeout: { rule: duration },
  maxLifetime: { rule: duration },
  settings: { rule: jsonRecord },
} as const satisfies Record<keyof LatentOptions, unknown> & Fields

/** What makes a slave latent; `null`: it is not, or not rightly, which is reported. */
export function latentOf(report: Report, subject: Subject, options: SlaveOptions): LatentSpec | null {
  const given: unknown = options.latent
  if (given === undefined || !checkFields(report, subject, ['latent'], given, FIELDS)) return null
  if (options.password !== undefined)
    report(subject, ['password'], 'It is latent: each instance gets a password of its own. Leave "password" out.')
  const { engine: named, buildWaitTimeout, maxLifetime, settings } = given as unknown as LatentOptions // checked above
  if (engine(named) !== undefined) return null
  return {
    engine: typeof named === 'string' ? named : named.id,
    buildWaitTimeoutMs: durationMs(buildWaitTimeout ?? '10m') ?? 0,
    maxLifetimeMs: maxLifetime === undefined ? null : (durationMs(maxLifetime) ?? null),
    settings: settings ?? {},
  }
}

/** Latent slaves whose engine is not among the plugins. */
export function checkEngines(
  { report }: Reporter,
  plugins: readonly CheckedPlugin[],
  slaves: Iterable<{ readonly spec: { readonly latent: LatentSpec | null }; readonly subject: Subject }>,
): void {
  const able = plugins.filter(({ spec }) => spec.kind === 'slave' && spec.definition.hasEngine === true)
  const ids = able.map(({ spec }) => spec.id)
  for (const { spec, subject } of slaves) {
    if (spec.latent === null || ids.includes(spec.latent.engine)) continue
    const known =
      ids.length === 0
        ? 'There is none. Add one to transports, for instance processes().'
        : knownNames(spec.latent.engine, ids)
    report(
      subject,
      ['latent', 'engine'],
      `No plugin "${spec.latent.engine}" with an engine for latent slaves is in transports. ${known}`,
    )
  }
}
