import type { PluginInstance } from '../plugin.ts'
import { misused, optionsRefused } from './errors.ts'

/** The options of a plugin after its schema, as the check of a config gives them. @throws CiError when they are refused. */
export function checkedOptions({ id, definition, options }: PluginInstance): object {
  if (!definition.schema) return options
  const checked = definition.schema['~standard'].validate(options)
  if (checked instanceof Promise) throw misused(id, 'has an async schema, which must be synchronous')
  if (checked.issues)
    throw optionsRefused(
      id,
      checked.issues.map((issue) => issue.message),
    )
  return checked.value
}
