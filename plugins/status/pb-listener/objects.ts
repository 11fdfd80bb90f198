import type { Result } from 'boltbot/plugin-sdk'
import { RaisedError } from '../../../wire/pb/remote-error.ts'
import { numberOfResult } from '../../../wire/pb/results.ts'
import { Tuple, type Value } from '../../../wire/pb/values.ts'

/** Seconds since 1970, as Python has times. */
export const seconds = (ms: number | null): number | null => (ms === null ? null : ms / 1000)

export const times = (startedAt: number, finishedAt: number | null): Tuple =>
  new Tuple([seconds(startedAt), seconds(finishedAt)])

export const resultNumber = (result: Result | null): number | null => (result === null ? null : numberOfResult(result))

/** What the boxes of the oldest clients are painted in. */
export function colorOf(result: Result | null): string {
  if (result === null) return 'yellow'
  if (result === 'success' || result === 'skipped') return 'green'
  if (result === 'warnings') return 'orange'
  return result === 'failure' ? 'red' : 'purple'
}

/** @throws RaisedError when there is no such thing, or no longer. */
export async function present<T>(what: string, found: Promise<T | undefined>): Promise<T> {
  const value = await found
  if (value === undefined) throw new RaisedError('builtins.KeyError', `There is no ${what}.`)
  return value
}

export const numberOf = (value: Value | undefined): number => (typeof value === 'number' ? value : Number.NaN)
