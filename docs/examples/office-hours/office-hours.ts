import { CiError, definePlugin } from 'boltbot/plugin-sdk'

export interface OfficeHoursOptions {
  /** Hours of the day, from 0; default 9 to 17. */
  readonly from?: number
  readonly to?: number
  /** Default: the master's own time zone. */
  readonly timeZone?: string
  /** Who may at any time. */
  readonly except?: readonly string[]
}

/** Builds are asked for by hand in office hours only, whichever way: command line, web page or chat. */
export const officeHours = definePlugin({
  name: 'office-hours',
  kind: 'service',
  apply(host, { from = 9, to = 17, timeZone, except = [] }: OfficeHoursOptions) {
    const parts = new Intl.DateTimeFormat('en', { weekday: 'short', hour: 'numeric', hourCycle: 'h23', timeZone })
    host.tap('guardAction', ({ action, who }) => {
      if (!['force', 'rebuild'].includes(action) || except.includes(who)) return
      const now = Object.fromEntries(parts.formatToParts(host.clock.now()).map(({ type, value }) => [type, value]))
      const hour = Number(now.hour)
      if (['Sat', 'Sun'].includes(now.weekday!) || hour < from || hour >= to) throw closed(from, to)
    })
  },
})

const closed = (from: number, to: number) =>
  new CiError({
    code: 'OFFICE_CLOSED',
    message: `Builds are asked for from ${from} to ${to} on work days.`,
    hint: 'Commit: schedulers build at any time.',
  })
