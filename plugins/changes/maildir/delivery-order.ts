/** When a mail was delivered, ms, as its file name says: `1700000000.M123456P789.host:2,S`. `null` when it does not. */
export function deliveryTime(name: string): number | null {
  const [, seconds, rest = ''] = /^(\d{9,12})\.([^:]*)/.exec(name) ?? []
  if (seconds === undefined) return null
  const micros = /M(\d{1,6})(?!\d)/.exec(rest)?.[1] ?? '0'
  return Number(seconds) * 1000 + Number(micros) / 1000
}

/** File names in order of delivery, then of name, where `7_10` comes after `7_9`. Names without a time come last. */
export function inDeliveryOrder(names: readonly string[]): readonly string[] {
  return names
    .map((name) => ({ name, at: deliveryTime(name) ?? Number.POSITIVE_INFINITY }))
    .sort((a, b) => (a.at === b.at ? byName(a.name, b.name) : a.at - b.at))
    .map(({ name }) => name)
}

const collator = new Intl.Collator('en', { numeric: true })

function byName(a: string, b: string): number {
  return collator.compare(a, b) || (a < b ? -1 : 1)
}
