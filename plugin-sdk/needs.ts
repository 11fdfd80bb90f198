import { CiError } from './errors.ts'
import type { Host } from './host.ts'
import { secretsIn } from './render.ts'

/**
 * What a plugin says it needs, and the members of the host each need gives. Everything else of the host is free: taps, queries, log,
 * clock, `own`, `share`, `waitFor`, `http.url`, `http.page`.
 */
export const NEEDS = Object.freeze({
  changes: ['submitChange'],
  buildsets: ['submitBuildset'],
  force: ['force', 'rebuild'],
  stop: ['stop'],
  cancel: ['cancel'],
  pause: ['pause', 'resume'],
  reconfigure: ['reconfigure'],
  notify: ['notify'],
  state: ['state'],
  directory: ['directory'],
  /** The secrets that its options name; `secrets:smtp` gives one by name, whatever the options say. */
  secrets: ['secrets'],
  people: ['people'],
  /** `host.http.route`. The config must have `http`. */
  http: ['http'],
  schedulers: ['registerScheduler'],
  pollers: ['registerPoller', 'pollSoon'],
  chat: ['registerChatCommand', 'openChat'],
  carriers: ['registerCarrier'],
  slaves: ['slaves'],
} as const satisfies Readonly<Record<string, readonly (keyof Host)[]>>)

/** One thing a plugin needs of the host: `state`, `force`, `secrets:smtp`. */
export type Need = keyof typeof NEEDS | `secrets:${string}`

/**
 * The host as a plugin with these needs has it: what it did not say it needs is `never`, so to use it does not compile. Still a {@link Host}
 * to functions that take one.
 */
export type HostWith<Needs extends readonly Need[]> = number extends Needs['length']
  ? Host // it gives none, or they are not known before it runs
  : {
      readonly [Member in keyof Host]: Member extends 'http'
        ? HttpWith<Needs[number]>
        : Member extends Exclude<MembersOf<keyof typeof NEEDS>, MembersOf<Needs[number]>>
          ? never
          : Host[Member]
    }

type MembersOf<Name extends Need> = (typeof NEEDS)[Name extends `secrets:${string}` ? 'secrets' : Name][number]
type HttpWith<Name extends Need> = 'http' extends Name
  ? Host['http']
  : { readonly [Member in keyof Host['http']]: Member extends 'route' ? never : Host['http'][Member] }

/** What {@link limitHost} holds a plugin to. */
export interface Limits {
  readonly plugin: string
  readonly needs: readonly Need[]
  /** The plugin's options as they are now: `secrets` gives those they name. */
  readonly options: () => object
}

/**
 * The host with what the plugin said it needs and no more: to read another member throws `BOLT_HOST_NEEDS`, with the line to add.
 * For hosts: the master's and those of tests.
 * @example const given = limitHost(host, { plugin: 'lamp', needs: ['state'], options: () => options })
 */
export function limitHost(host: Host, { plugin, needs, options }: Limits): Host {
  const refused = (used: string, need: Need) => needMissing(plugin, used, need, needs)
  const limited: PropertyDescriptorMap = Object.getOwnPropertyDescriptors(host)
  const refuse = (member: string, need: Need) => {
    limited[member] = {
      enumerable: true,
      get() {
        throw refused(`host.${member}`, need)
      },
    }
  }
  for (const [need, members] of Object.entries(NEEDS) as [keyof typeof NEEDS, readonly string[]][]) {
    const isGiven = needs.some((given) => given === need || given.startsWith(`${need}:`))
    if (!isGiven) for (const member of members) if (member !== 'http') refuse(member, need)
  }
  if (!needs.includes('http')) limited.http = { enumerable: true, value: withoutRoutes(host, refused) }
  const named = new Set(needs.flatMap((need) => (need.startsWith('secrets:') ? [need.slice('secrets:'.length)] : [])))
  if (needs.includes('secrets') || named.size > 0) {
    const resolve: Host['secrets']['resolve'] = (value) => {
      if (typeof value === 'string') return host.secrets.resolve(value)
      const { name } = value
      const isGiven =
        named.has(name) || (needs.includes('secrets') && secretsIn(options()).some((ref) => ref.name === name))
      if (!isGiven) throw refused(`the secret "${name}"`, `secrets:${name}`)
      return host.secrets.resolve(value)
    }
    limited.secrets = { enumerable: true, value: Object.freeze({ resolve }) }
  }
  return Object.freeze(Object.defineProperties({}, limited)) as Host // the same members, some behind a refusal
}

function withoutRoutes({ http }: Host, refused: (used: string, need: Need) => CiError): Host['http'] {
  return Object.freeze({
    url: () => http.url(),
    page: (path: string) => http.page(path),
    get route(): Host['http']['route'] {
      throw refused('host.http.route', 'http')
    },
  })
}

const needMissing = (plugin: string, used: string, need: Need, needs: readonly Need[]) =>
  new CiError({
    code: 'BOLT_HOST_NEEDS',
    message: `Plugin "${plugin}" uses ${used}, which its definition does not say it needs.`,
    details: { plugin, used, need },
    hint: `Add to its definition: needs: [${[...needs, need].map((one) => `'${one}'`).join(', ')}],`,
  })
