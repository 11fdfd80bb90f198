import type { OutboxOptions } from 'boltbot/plugin-sdk'
import type { Report, Subject } from './report.ts'
import { anything, checkFields, count, duration, type Fields, list, mailAddress, show } from './rules.ts'

const FIELDS = {
  admins: { rule: list },
  budget: { rule: anything },
  giveUpAfter: { rule: duration },
} as const satisfies Record<keyof OutboxOptions, unknown> & Fields

const BUDGET = { count: { rule: count, required: true }, per: { rule: duration, required: true } } as const

/** The keys of `outbox`. */
export function checkOutbox(report: Report, master: Subject, outbox: unknown): void {
  if (!checkFields(report, master, ['outbox'], outbox, FIELDS)) return
  const { admins, budget } = outbox
  if (Array.isArray(admins))
    admins.forEach((address: unknown, i) => {
      const expected = mailAddress(address)
      if (expected !== undefined) report(master, ['outbox', 'admins', i], `It is ${show(address)}. Give ${expected}.`)
    })
  if (budget !== undefined && budget !== false) checkFields(report, master, ['outbox', 'budget'], budget, BUDGET)
}
