import type { FormField } from 'boltbot/plugin-sdk'
import { oneLine } from '../output.ts'

/** The fields of a form for a terminal: name, kind, default, what they are. */
export function formRows(fields: readonly FormField[], prefix = ''): readonly (readonly string[])[] {
  return fields.flatMap((field) => {
    if (field.type === 'fixed') return []
    const name = `${prefix}${field.name}`
    if (field.type === 'nested') return formRows(field.fields, `${name}.`)
    const value = field.default === undefined || field.default === '' ? '' : `default ${JSON.stringify(field.default)}`
    const standing = field.required ? 'must be filled in' : value
    return [[name, kindOf(field), standing, oneLine([field.label, field.help].filter(Boolean).join(': '))]]
  })
}

function kindOf(field: Exclude<FormField, { type: 'fixed' | 'nested' }>): string {
  if (field.type === 'choice') return `${field.multiple ? 'some of' : 'one of'} ${field.choices.join(', ')}`
  if (field.type === 'string' && field.pattern !== undefined) return `text like ${field.pattern}`
  if (field.type === 'int') return `number${rangeOf(field)}`
  return { string: 'text', text: 'text, several lines', bool: 'yes or no', user: 'a person' }[field.type]
}

const rangeOf = ({ min, max }: { readonly min?: number; readonly max?: number }) =>
  min === undefined && max === undefined ? '' : ` ${min ?? '…'} to ${max ?? '…'}`
