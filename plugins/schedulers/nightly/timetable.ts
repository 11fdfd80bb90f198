import { messageOf } from 'boltbot/plugin-sdk'
import { Cron } from 'croner'

/** The moments of a cron pattern in a time zone. */
export interface Timetable {
  /** The first moment after `ms`; `null`: none ever comes. */
  after(ms: number): number | null
}

/**
 * A clock that skips a moment (daylight saving begins) gives it as soon as it goes on; one that passes it twice gives it once, the
 * first time, unless the pattern has it every hour or more often.
 * @throws Error when the pattern or the time zone is not one.
 */
export function createTimetable(pattern: string, timeZone: string | undefined): Timetable {
  const cron = new Cron(pattern, { mode: '5-or-6-parts', ...(timeZone !== undefined && { timezone: timeZone }) })
  return { after: (ms) => cron.nextRun(new Date(ms))?.getTime() ?? null }
}

/** What is wrong with a pattern, a sentence; `undefined`: nothing. */
export function patternProblem(pattern: string): string | undefined {
  try {
    // Something else than these is a date, which comes once.
    if (!/^\s*@/.test(pattern) && ![5, 6].includes(pattern.trim().split(/\s+/).length))
      return 'A pattern has five parts: minute, hour, day of month, month, day of week.'
    // Any year will do: what does not come in the hundreds after it never does.
    if (createTimetable(pattern, 'UTC').after(0) !== null) return undefined
    return 'That never comes. Look at the day of the month and the month.'
  } catch (error) {
    return `${messageOf(error).replace(/^CronPattern: /, '')}.`
  }
}

export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false // what it throws says no more
  }
}
