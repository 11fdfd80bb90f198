import { z } from 'zod'
import { patternProblem } from './timetable.ts'

/** A number, a list of numbers, or text as in cron: `'*'`, `'1-5'`, `'*' + '/15'`, `'1,15'`. */
export type TimeField = number | string | readonly (number | string)[]

export interface TimeFields {
  /** 0 to 59; default 0. */
  readonly minute?: TimeField | undefined
  /** 0 to 23; default every hour. */
  readonly hour?: TimeField | undefined
  /** 1 to 31; default every day. When a day of the week is given too, either makes a day right. */
  readonly dayOfMonth?: TimeField | undefined
  /** 1 to 12, or text: `'jan'`; default every month. */
  readonly month?: TimeField | undefined
  /** Numbers: 0 is Monday, 6 is Sunday. Text as in cron, where 0 is Sunday: better by name, as in `'mon-fri'`. Default every day. */
  readonly dayOfWeek?: TimeField | undefined
}

const FIELDS = {
  minute: { least: 0, most: 59, otherwise: '0' },
  hour: { least: 0, most: 23, otherwise: '*' },
  dayOfMonth: { least: 1, most: 31, otherwise: '*' },
  month: { least: 1, most: 12, otherwise: '*' },
  dayOfWeek: { least: 0, most: 6, otherwise: '*' },
} as const
type FieldName = keyof typeof FIELDS
const NAMES = Object.keys(FIELDS) as FieldName[] // in the order of a pattern

const field = (name: FieldName) => {
  const { least, most } = FIELDS[name]
  const example = name === 'dayOfWeek' ? `0 is Monday; text such as 'mon-fri'` : `or text such as '${least}-${most}'`
  return z
    .custom<TimeField>(
      (value) => isField(name, value),
      `Give a number from ${least} to ${most}, a list of them, ${example}.`,
    )
    .optional()
}

export const fieldsShape = {
  minute: field('minute'),
  hour: field('hour'),
  dayOfMonth: field('dayOfMonth'),
  month: field('month'),
  dayOfWeek: field('dayOfWeek'),
}

/** The pattern that the fields make: minute, hour, day of month, month, day of week. */
export function patternOf(fields: TimeFields): string {
  return NAMES.map((name) => partOf(name, fields[name])).join(' ')
}

/** Names of the fields that are given. */
export function givenFields(fields: TimeFields): readonly FieldName[] {
  return NAMES.filter((name) => fields[name] !== undefined)
}

function isField(name: FieldName, value: unknown): boolean {
  const items: readonly unknown[] = Array.isArray(value) ? value : [value]
  const { least, most } = FIELDS[name]
  const isItem = (item: unknown) =>
    typeof item === 'string'
      ? /^\S+$/.test(item)
      : Number.isInteger(item) && (item as number) >= least && (item as number) <= most // just found to be a number
  if (items.length === 0 || !items.every(isItem)) return false
  const part = partOf(name, value as TimeField) // as was just found
  return patternProblem(NAMES.map((other) => (other === name ? part : '*')).join(' ')) === undefined
}

function partOf(name: FieldName, value: TimeField | undefined): string {
  if (value === undefined) return FIELDS[name].otherwise
  if (typeof value === 'string') return value
  const items = typeof value === 'number' ? [value] : value
  return items
    .map((item) => (typeof item === 'number' && name === 'dayOfWeek' ? (item + 1) % 7 : item)) // cron's week begins on Sunday
    .join(',')
}
