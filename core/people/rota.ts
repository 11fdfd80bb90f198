import type { SheriffSpec } from '../config/model.ts'

const DAY_MS = 86_400_000

/** Whose turn it is at a time; `null`: before the first day. Days are those of the calendar of the time zone, also when one has 23 hours. */
export function sheriffAt({ rota, start, days, atMinute, timeZone }: SheriffSpec, at: number): string | null {
  const { day, minute } = local(at, timeZone)
  const since = day - Date.parse(start) / DAY_MS - (minute < atMinute ? 1 : 0)
  if (since < 0) return null
  return rota[Math.floor(since / days) % rota.length] ?? null
}

/** The day of the calendar, counted from 1970, and the minute in it. */
function local(at: number, timeZone: string | undefined): { readonly day: number; readonly minute: number } {
  const format = new Intl.DateTimeFormat('en-u-ca-gregory-nu-latn', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
  })
  const parts = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]))
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0 } = parts
  return { day: Date.UTC(year, month - 1, day) / DAY_MS, minute: hour * 60 + minute }
}
