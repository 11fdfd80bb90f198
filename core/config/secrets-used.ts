import { type SecretRef, secretsIn } from 'boltbot/plugin-sdk'
import type { Config } from './model.ts'

/** The secrets a config names, each once: passwords of slaves and of the store, options of plugins and steps, environments of builders. */
export function secretsUsed(config: Config): readonly SecretRef[] {
  return secretsIn([
    [...config.slaves.values()].map(({ password }) => password),
    config.store?.password,
    [...config.builders.values()].map(({ env, steps }) => [env, steps.map(({ options }) => options)]),
    config.plugins.map(({ options }) => options),
  ])
}
