import { isAbsolute } from 'node:path'
import { z } from 'zod'
import { type Address, parsePort } from '../address.ts'

/** Where to listen, and with which certificate; without one it is plain. */
export interface PbAddress extends Address {
  readonly tls?: PbCertificate
}

/** PEM files. */
export interface PbCertificate {
  readonly certFile: string
  readonly keyFile: string
}

const NOT_A_PORT =
  'Give a port, as 9989, "tcp:9989:interface=0.0.0.0" or "ssl:9989:privateKey=/srv/ci/key.pem:certKey=/srv/ci/cert.pem:interface=0.0.0.0".'

/** The option `port` of all plugins that speak Perspective Broker. */
export const pbPort = z
  .union([z.number(), z.string()], NOT_A_PORT)
  .refine((value) => parsePbPort(value) !== undefined, NOT_A_PORT)
  .transform((value) => parsePbPort(value)!)

/** What it is when it is left out. */
export const DEFAULT_PB_PORT: PbAddress = { port: 9989, host: '127.0.0.1' }

/**
 * Reads a port as the config gives it: what `parsePort` reads, or the form of Buildbot with a certificate, `ssl:` or `tls:`, the port, and
 * `privateKey=`, `certKey=` and perhaps `interface=` with whole paths. `undefined` when it is none of these.
 */
export function parsePbPort(value: number | string): PbAddress | undefined {
  if (typeof value === 'number') return parsePort(value)
  const [kind, port, ...words] = value.split(/(?<!\\):/)
  if (kind !== 'ssl' && kind !== 'tls') return parsePort(value)
  const given = new Map(words.map((word) => cut(word.replaceAll('\\:', ':'))))
  const { privateKey: keyFile, certKey: certFile, interface: host, ...others } = Object.fromEntries(given)
  const plain = parsePort(`tcp:${port}${host === undefined ? '' : `:interface=${host.replaceAll(':', '\\:')}`}`)
  const whole = plain !== undefined && isFile(keyFile) && isFile(certFile)
  if (!whole || Object.keys(others).length > 0 || given.size < words.length) return undefined
  return { ...plain, tls: { certFile, keyFile } }
}

function cut(word: string): readonly [string, string] {
  const at = word.indexOf('=')
  return at === -1 ? [word, ''] : [word.slice(0, at), word.slice(at + 1)]
}

const isFile = (path: string | undefined): path is string => path !== undefined && isAbsolute(path)
