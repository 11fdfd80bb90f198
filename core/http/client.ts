import type { IncomingMessage } from 'node:http'
import { BlockList, isIP } from 'node:net'

/** Who asks, and by which name of ours: as the socket says, or as a trusted proxy says. */
export interface Client {
  readonly address: string
  readonly proxied: boolean
  /** `https://ci.example.org`. */
  readonly origin: string
}

export interface ClientRules {
  readonly trustedProxies: readonly string[]
}

export function createClients({ trustedProxies }: ClientRules): (request: IncomingMessage) => Client {
  const trusted = blockList(trustedProxies)
  const isTrusted = (address: string) => isIP(address) !== 0 && trusted.check(address, family(address))
  return ({ headers, socket }) => {
    const peer = plainAddress(socket.remoteAddress ?? '')
    const proxied = isTrusted(peer)
    const said = (name: string) => (proxied ? firstOf(headers[name]) : undefined)
    const way = [...listOf(headers['x-forwarded-for']), peer].map(plainAddress)
    // Each trusted hop vouches for the one before it; what stands further left anybody may have written.
    const address = proxied ? (way.findLast((hop) => !isTrusted(hop)) ?? way[0]!) : peer
    const scheme = said('x-forwarded-proto') === 'https' ? 'https' : 'http'
    return { address, proxied, origin: `${scheme}://${said('x-forwarded-host') ?? headers.host ?? 'localhost'}` }
  }
}

/**
 * Whether a server that only this machine reaches may be asked by this name. A page of a stranger can give its own name our
 * address and then read what it likes with the browser of somebody here; but it cannot choose the name the browser sends.
 */
export function isOwnName(host: string | undefined, publicHost: string | null): boolean {
  if (host === undefined) return true // HTTP/1.0: no browser
  if (publicHost !== null && host.toLowerCase() === publicHost) return true
  const name = host.replace(/:\d+$/, '').toLowerCase()
  return name === 'localhost' || name.endsWith('.localhost') || isIP(name.replace(/^\[|\]$/g, '')) !== 0
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\./.test(host)
}

function blockList(ranges: readonly string[]): BlockList {
  const list = new BlockList()
  for (const range of ranges) {
    const [address = '', bits] = range.split('/')
    if (bits === undefined) list.addAddress(address, family(address))
    else list.addSubnet(address, Number(bits), family(address))
  }
  return list
}

const family = (address: string) => (isIP(address) === 6 ? 'ipv6' : 'ipv4')

/** An IPv4 address as such also where the socket is of both kinds. */
const plainAddress = (address: string) => address.replace(/^::ffff:(?=\d+\.)/, '')

const listOf = (header: string | string[] | undefined) =>
  [header ?? []].flat().flatMap((line) => line.split(',').map((item) => item.trim()))

const firstOf = (header: string | string[] | undefined) => listOf(header)[0]
