/** Where to listen. */
export interface Address {
  readonly port: number
  readonly host: string
}

/** Without an interface only this machine can connect. */
const LOOPBACK = '127.0.0.1'

/**
 * Reads a port as the config gives it: `9990`, `'9990'`, `'tcp:9990'` or `'tcp:9990:interface=0.0.0.0'` (colons in the interface
 * as `\:`). `undefined` when it is none of these.
 */
export function parsePort(value: number | string): Address | undefined {
  if (typeof value === 'number') return isPort(value) ? { port: value, host: LOOPBACK } : undefined
  const words = (/^\d+$/.test(value) ? `tcp:${value}` : value)
    .split(/(?<!\\):/)
    .map((word) => word.replaceAll('\\:', ':'))
  const [kind, port, ...rest] = words
  if (kind !== 'tcp' || port === undefined || !/^\d{1,5}$/.test(port) || !isPort(Number(port)) || rest.length > 1)
    return undefined
  if (rest.length === 0) return { port: Number(port), host: LOOPBACK }
  const [key, host, more] = rest[0]!.split('=')
  return key === 'interface' && host && more === undefined ? { port: Number(port), host } : undefined
}

const isPort = (value: number) => Number.isInteger(value) && value >= 0 && value <= 65535

export const addressText = ({ host, port }: Address) => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`)
