import { isIP } from 'node:net'
import type { HttpOptions } from 'boltbot/plugin-sdk'
import { type Fields, type Rule, text } from './rules.ts'

const port: Rule = (value) =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 65535
    ? undefined
    : 'a port: 1 to 65535, or 0 for any free one'

const addressRanges: Rule = (value) =>
  Array.isArray(value) && value.every((item) => typeof item === 'string' && isAddressRange(item))
    ? undefined
    : `a list of addresses: ['127.0.0.1', '10.0.0.0/8']`

/** The keys of `http`. */
export const HTTP_FIELDS = {
  port: { rule: port, required: true },
  host: { rule: text },
  trustedProxies: { rule: addressRanges },
} as const satisfies Record<keyof HttpOptions, unknown> & Fields

/** `10.0.0.0/8`, `::1`: what `trustedProxies` takes. */
function isAddressRange(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/')
  const most = isIP(address) === 4 ? 32 : isIP(address) === 6 ? 128 : -1
  return most > 0 && rest.length === 0 && (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most))
}
