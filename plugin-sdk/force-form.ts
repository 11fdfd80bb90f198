/**
 * What a person fills in to have a scheduler build: typed fields as data, for a command line, a page and a bot alike, and the check of
 * what they filled in.
 */
import type { Json } from './json.ts'

/** One field. `default` stands for a field that was left out or left empty; without one it is '' (text), false (bool), the first choice, or null (int). */
export type FormField =
  | (FieldOf<'string'> & { readonly default?: string; readonly pattern?: string; readonly maxLength?: number })
  /** Several lines. */
  | (FieldOf<'text'> & { readonly default?: string; readonly maxLength?: number })
  | (FieldOf<'int'> & { readonly default?: number; readonly min?: number; readonly max?: number })
  | (FieldOf<'bool'> & { readonly default?: boolean })
  | (FieldOf<'choice'> & {
      readonly choices: readonly string[]
      readonly default?: string | readonly string[]
      /** Several may be chosen: the value is a list. */
      readonly multiple?: boolean
      /** Something else may be typed too. */
      readonly open?: boolean
    })
  /** A person: default is who asks. */
  | (FieldOf<'user'> & { readonly default?: string; readonly needsMail?: boolean })
  /** Nobody is asked. */
  | (FieldOf<'fixed'> & { readonly default: Json })
  | (FieldOf<'nested'> & { readonly fields: readonly FormField[] })

interface FieldOf<Type extends string> {
  readonly name: string
  readonly type: Type
  /** For people; default: the name. */
  readonly label?: string
  readonly help?: string
  /** It must be filled in. */
  readonly required?: boolean
}

/** What was filled into a form, by name of the field. */
export type FormValues = Readonly<Record<string, Json>>

/**
 * What was filled in, completed; texts are taken for numbers, booleans and lists (`a,b`) where a field wants these.
 * @example checkForm([{ name: 'count', type: 'int', min: 1 }], { count: '3' }, 'jane') // { values: { count: 3 }, problems: [] }
 */
export function checkForm(
  fields: readonly FormField[],
  given: FormValues,
  who: string,
): { readonly values: FormValues; readonly problems: readonly string[] } {
  const problems: string[] = []
  return { values: checkFields(fields, given, who, '', problems), problems }
}

function checkFields(
  fields: readonly FormField[],
  given: FormValues,
  who: string,
  prefix: string,
  problems: string[],
): FormValues {
  const known = fields.map(({ name }) => name)
  for (const name of Object.keys(given)) {
    if (!known.includes(name)) problems.push(`"${prefix}${name}" is no field: there are ${known.join(', ') || 'none'}`)
  }
  const values: Record<string, Json> = {}
  for (const field of fields) {
    const value = given[field.name]
    if (field.type === 'nested') {
      const inside = value ?? {}
      if (typeof inside === 'object' && inside !== null && !Array.isArray(inside))
        values[field.name] = checkFields(field.fields, inside as FormValues, who, `${prefix}${field.name}.`, problems)
      else problems.push(`"${prefix}${field.name}" is a group of fields`)
      continue
    }
    const checked = checkField(field, value, who)
    if ('problem' in checked) problems.push(`"${prefix}${field.name}" ${checked.problem}`)
    else values[field.name] = checked.value
  }
  return values
}

type Checked = { readonly value: Json } | { readonly problem: string }

function checkField(field: Exclude<FormField, { type: 'nested' }>, given: Json | undefined, who: string): Checked {
  if (field.type === 'fixed')
    return given === undefined ? { value: field.default } : { problem: 'is fixed: leave it out' }
  const isEmpty = given === undefined || given === null || given === '' || (Array.isArray(given) && given.length === 0)
  if (isEmpty && field.required === true && defaultOf(field, who) === EMPTY[field.type])
    return { problem: 'must be filled in' }
  if (isEmpty) return { value: defaultOf(field, who) }
  switch (field.type) {
    case 'string':
    case 'text':
    case 'user':
      return checkText(field, given)
    case 'int':
      return checkInt(field, given)
    case 'bool': {
      if (typeof given === 'boolean') return { value: given }
      const word = typeof given === 'string' ? given.toLowerCase() : ''
      if (YES.includes(word)) return { value: true }
      return NO.includes(word) ? { value: false } : { problem: 'is yes or no' }
    }
    case 'choice':
      return checkChoice(field, given)
  }
}

const YES: readonly string[] = ['true', 'yes', 'on', '1']
const NO: readonly string[] = ['false', 'no', 'off', '0']
const EMPTY: Readonly<Record<string, Json>> = { string: '', text: '', user: '', int: null, choice: '', bool: null }

function defaultOf(field: Exclude<FormField, { type: 'nested' | 'fixed' }>, who: string): Json {
  if (field.type === 'choice') {
    if (field.default !== undefined) return typeof field.default === 'string' ? field.default : [...field.default]
    if (field.multiple) return []
    return field.required || field.open ? '' : (field.choices[0] ?? '')
  }
  if (field.type === 'user') return field.default ?? who
  if (field.type === 'bool') return field.default ?? false
  return field.default ?? EMPTY[field.type]!
}

function checkText(field: Extract<FormField, { type: 'string' | 'text' | 'user' }>, given: Json): Checked {
  const text = typeof given === 'string' ? given : typeof given === 'number' ? String(given) : undefined
  if (text === undefined) return { problem: 'is text' }
  if (field.type !== 'text' && /[\r\n]/.test(text)) return { problem: 'is one line of text' }
  if (field.type === 'user') {
    const isBad = field.needsMail === true && !/[^\s<>@]+@[^\s<>@]+/.test(text)
    return isBad ? { problem: 'is a person with a mail address: Jane Doe <jane@example.org>' } : { value: text }
  }
  if (field.maxLength !== undefined && text.length > field.maxLength)
    return { problem: `is text of at most ${field.maxLength} characters` }
  if (field.type === 'string' && field.pattern !== undefined && !new RegExp(`^(?:${field.pattern})$`, 'u').test(text))
    return { problem: `must look like ${field.pattern}` }
  return { value: text }
}

function checkInt(field: Extract<FormField, { type: 'int' }>, given: Json): Checked {
  const { min = -Infinity, max = Infinity } = field
  const value = typeof given === 'string' && /^[+-]?\d+$/.test(given.trim()) ? Number(given) : given
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) return { problem: 'is a whole number' }
  if (value < min) return { problem: `is a whole number, ${min} or more` }
  return value > max ? { problem: `is a whole number, ${max} or less` } : { value }
}

function checkChoice(field: Extract<FormField, { type: 'choice' }>, given: Json): Checked {
  const isChoice = (item: Json): item is string =>
    typeof item === 'string' && (field.open === true || field.choices.includes(item))
  const oneOf = `one of ${field.choices.join(', ')}`
  if (field.multiple !== true) return isChoice(given) ? { value: given } : { problem: `is ${oneOf}` }
  const list = Array.isArray(given)
    ? given
    : typeof given === 'string'
      ? given.split(',').map((item) => item.trim())
      : []
  return list.length > 0 && list.every(isChoice)
    ? { value: [...new Set(list)] }
    : { problem: `is a list, each ${oneOf}` }
}
