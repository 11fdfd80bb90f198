import type { FormField } from 'boltbot/plugin-sdk'
import { z } from 'zod'

/** A field without its name: that is its key. */
export type ForceParameter = WithoutName<FormField>
type WithoutName<Field> = Field extends { type: 'nested' }
  ? Omit<Field, 'name' | 'fields'> & { readonly fields: ForceParameters }
  : Omit<Field, 'name'>
/** An interface: an alias would be seen as going round in a circle by compilers that begin elsewhere. */
export interface ForceParameters {
  readonly [name: string]: ForceParameter
}

const shared = {
  label: z.string('Give a text.').optional(),
  help: z.string('Give a text.').optional(),
  required: z.boolean('Give true or false.').optional(),
}
const text = z.string('Give a text.')
const pattern = text.refine((source) => {
  try {
    new RegExp(source, 'u')
    return true
  } catch {
    return false
  }
}, 'Give a regular expression as text.')
const int = z.int('Give a whole number.')
const names = z.array(text, 'Give a list of texts.').min(1, 'Give at least one choice.')

const parameter: z.ZodType<ForceParameter, ForceParameter> = z.lazy(() =>
  z.discriminatedUnion(
    'type',
    [
      z.strictObject({
        type: z.literal('string'),
        ...shared,
        default: text.optional(),
        pattern: pattern.optional(),
        maxLength: int.min(1).optional(),
      }),
      z.strictObject({
        type: z.literal('text'),
        ...shared,
        default: text.optional(),
        maxLength: int.min(1).optional(),
      }),
      z.strictObject({
        type: z.literal('int'),
        ...shared,
        default: int.optional(),
        min: int.optional(),
        max: int.optional(),
      }),
      z.strictObject({ type: z.literal('bool'), ...shared, default: z.boolean().optional() }),
      z.strictObject({
        type: z.literal('choice'),
        ...shared,
        choices: names,
        default: z.union([text, z.array(text)]).optional(),
        multiple: z.boolean().optional(),
        open: z.boolean().optional(),
      }),
      z.strictObject({
        type: z.literal('user'),
        ...shared,
        default: text.optional(),
        needsMail: z.boolean().optional(),
      }),
      z.strictObject({ type: z.literal('fixed'), ...shared, default: z.json() }),
      z.strictObject({ type: z.literal('nested'), ...shared, fields: z.lazy(() => forceParameters) }),
    ],
    'Give a field with a type: string, text, int, bool, choice, user, fixed or nested.',
  ),
) as z.ZodType<ForceParameter, ForceParameter>

export const forceParameter = parameter
export const forceParameters: z.ZodType<ForceParameters, ForceParameters> = z.record(
  z.string().regex(/^[\w.-]+$/, 'A field is named by letters, digits, "_", "." and "-".'),
  parameter,
  'Give an object of names and fields.',
)

/** The fields with their names, as forms take them. */
export function namedFields(parameters: ForceParameters): readonly FormField[] {
  return Object.entries(parameters).map(([name, field]): FormField => {
    if (field.type === 'nested') return { ...field, name, fields: namedFields(field.fields) }
    return { ...field, name }
  })
}
