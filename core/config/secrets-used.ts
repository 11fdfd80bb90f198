import { isSecretRef, type SecretRef } from 'boltbot/plugin-sdk'
import type { Config } from './model.ts'

/** The secrets a config names, each once: passwords of slaves, options of plugins and steps, environments of builders. */
export function secretsUsed(config: Config): readonly SecretRef[] {
  const found = new Map<string, SecretRef>()
  const seen = new Set<object>()
  const look = (value: unknown): void => {
    if (typeof value !== 'object' || value === null || seen.has(value)) return
    seen.add(value)
    if (isSecretRef(value)) found.set(value.name, value)
    else for (const inside of Array.isArray(value) ? value : plainValues(value)) look(inside)
  }
  for (const { password } of config.slaves.values()) look(password)
  for (const { env, steps } of config.builders.values()) {
    look(env)
    for (const step of steps) look(step.options)
  }
  for (const { options } of config.plugins) look(options)
  return [...found.values()]
}

/** Class instances are the business of their makers. */
function plainValues(value: object): readonly unknown[] {
  const proto = Object.getPrototypeOf(value)
  return proto === Object.prototype || proto === null ? Object.values(value) : []
}
