import {
  type Builder,
  CHAT_NEWS,
  type ChatNews,
  type Duration,
  durationMs,
  isCertificate,
  isSecretRef,
  type Schema,
  type SecretRef,
} from 'boltbot/plugin-sdk'
import { z } from 'zod'

/** Where a bot sits, and what it tells there. What a channel does not say, its network says; what that does not say, the whole bot. */
export interface IrcTelling {
  /** What is told without being asked; default `['problem', 'recovery', 'exception']`. */
  readonly notify?: readonly ChatNews[] | undefined
  /** Only of these builders, by object or name. */
  readonly builders?: readonly (Builder | string)[] | undefined
  readonly categories?: readonly string[] | undefined
  readonly branches?: readonly string[] | undefined
  /** NOTICE instead of ordinary messages: other bots do not answer those. */
  readonly notice?: boolean | undefined
  /** Results in colour; default false. */
  readonly colors?: boolean | undefined
  /** The address of the page behind a line about a build or a slave, when the master serves pages; default true. */
  readonly links?: boolean | undefined
}

export interface IrcChannel extends IrcTelling {
  readonly name: string
  readonly key?: string | SecretRef | undefined
}

export interface IrcNetwork extends IrcTelling {
  readonly host: string
  /** Default 6697, 6667 without TLS. */
  readonly port?: number | undefined
  /** Default true: encrypted, the certificate checked. False only on this machine. */
  readonly tls?: boolean | undefined
  /** PEM text of the authority that signed the server's certificate, when it is not a public one. */
  readonly tlsCa?: string | undefined
  /** PEM texts of the bot's own certificate: for SASL EXTERNAL. */
  readonly certificate?: { readonly cert: string; readonly key: string | SecretRef } | undefined
  /** As people call the network; default: the host. Part of stored settings: keep it. No other network of the config may have it. */
  readonly name?: string | undefined
  readonly nick: string
  readonly username?: string | undefined
  readonly realname?: string | undefined
  /** The server's own password. */
  readonly password?: string | SecretRef | undefined
  /** PLAIN with an account, or EXTERNAL by the certificate. */
  readonly sasl?: { readonly account: string; readonly password: string | SecretRef } | 'external' | undefined
  /** Identifies with NickServ where there is no SASL. */
  readonly nickserv?: { readonly account?: string | undefined; readonly password: string | SecretRef } | undefined
  readonly channels: readonly (string | IrcChannel)[]
  /** Lines at once, and the time for one more; default 4 and `'2s'`. */
  readonly lineRate?: { readonly burst: number; readonly every: Duration } | undefined
}

export interface IrcOptions extends OneNetwork {
  /** Who has not spoken or come for so long is told by mail instead; default `'1h'`. */
  readonly awayAfter?: Duration | undefined
  /** Several networks, instead of `host`, `nick` and `channels`. */
  readonly networks?: readonly IrcNetwork[] | undefined
}

/** The options of the one network, when there is one. */
type OneNetwork = { readonly [Key in keyof IrcNetwork]?: IrcNetwork[Key] | undefined }

/** Options after the check. */
export interface Bot {
  readonly awayMs: number
  readonly networks: readonly Network[]
}

export interface Network
  extends Pick<IrcNetwork, 'host' | 'tlsCa' | 'certificate' | 'nick' | 'password' | 'sasl' | 'nickserv'> {
  readonly port: number
  readonly tls: boolean
  readonly name: string
  readonly username: string
  readonly realname: string
  readonly channels: readonly Channel[]
  readonly burst: number
  readonly everyMs: number
  /** For channels that people have it join, and private talks. */
  readonly elsewhere: Telling
}

export interface Telling {
  readonly notify: readonly ChatNews[]
  readonly builders?: readonly string[]
  readonly categories?: readonly string[]
  readonly branches?: readonly string[]
  readonly notice: boolean
  readonly colors: boolean
  readonly links: boolean
}

export interface Channel extends Telling {
  readonly name: string
  readonly key?: string | SecretRef
}

const text = z.string('Give a text.').min(1, 'Give a text that is not empty.')
const oneWord = text.regex(/^[^\s,:@!]+$/, 'Give one word.')
const nick = text.regex(
  /^[A-Za-z[\]\\`_^{|}][\w[\]\\`^{|}-]*$/,
  'Give a nickname: letters, digits, "_" and "-", a letter first.',
)
const channelName = text.regex(/^[#&+!][^\s,]{1,60}$/, "Give the name of a channel, as in '#hello'.")
const secretText = z.custom<string | SecretRef>(
  (value) => isSecretRef(value) || (typeof value === 'string' && value !== ''),
  "Give secret('name').",
)
const pem = text.refine(isCertificate, 'Give the PEM text of a certificate, as readFileSync(file, "utf8") gives it.')
const positive = z.custom<Duration>(isPositive, "Give a duration, as in '2s'.")
const telling = {
  notify: z.array(z.enum(CHAT_NEWS, `Give some of ${CHAT_NEWS.join(', ')}.`), 'Give a list of events.').optional(),
  builders: z
    .array(z.custom<Builder | string>(isBuilder, 'Give a builder or the name of one.'), 'Give a list of builders.')
    .optional(),
  categories: z.array(text, 'Give a list of categories.').optional(),
  branches: z.array(text, "Give a list of branches, as in ['main'].").optional(),
  notice: z.boolean('Give true or false.').optional(),
  colors: z.boolean('Give true or false.').optional(),
  links: z.boolean('Give true or false.').optional(),
}
const channel = z.union(
  [channelName, z.strictObject({ name: channelName, key: secretText.optional(), ...telling })],
  "Give the name of a channel, as in '#hello', or { name: '#hello', … }.",
)
const network = {
  host: text.regex(/^[A-Za-z0-9._:-]+$/, 'Give the name or address of a host.'),
  port: z.int('Give a port number.').min(1, 'Give a port number.').max(65_535, 'Give a port number.').optional(),
  tls: z.boolean('Give true or false.').optional(),
  tlsCa: pem.optional(),
  certificate: z.strictObject({ cert: pem, key: secretText }).optional(),
  name: oneWord.optional(),
  nick,
  username: oneWord.optional(),
  realname: text.optional(),
  password: secretText.optional(),
  sasl: z
    .union(
      [z.literal('external'), z.strictObject({ account: oneWord, password: secretText })],
      "Give { account, password }, or 'external'.",
    )
    .optional(),
  nickserv: z.strictObject({ account: oneWord.optional(), password: secretText }).optional(),
  channels: z.array(channel, "Give a list of channels, as in ['#hello'].").min(1, 'Give at least one channel.'),
  lineRate: z
    .strictObject({
      burst: z.int().min(1).max(100),
      every: positive,
    })
    .optional(),
  ...telling,
}
const networkShape = z.strictObject(network)

export const ircSchema: Schema<IrcOptions, Bot> = z
  .strictObject({
    ...networkShape.partial().shape,
    awayAfter: positive.optional(),
    networks: z.array(networkShape).min(1).optional(),
  })
  .superRefine((given, context) => {
    const { networks, host, nick, channels } = given
    const say = (path: (string | number)[], message: string) => context.addIssue({ code: 'custom', path, message })
    if (networks === undefined) {
      for (const [key, value] of Object.entries({ host, nick, channels }))
        if (value === undefined) say([key], `Give ${key}, or "networks".`)
    } else
      for (const key of ['host', 'nick', 'channels'] as const)
        if (given[key] !== undefined) say([key], 'It belongs into each of the networks.')
    const names = (networks ?? []).map(({ name, host }) => name ?? host)
    names.forEach((name, i) => {
      if (names.indexOf(name) !== i)
        say(['networks', i, 'name'], `Two networks are named "${name}": give one another name.`)
    })
    const all: [(string | number)[], OneNetwork][] =
      networks === undefined ? [[[], given]] : networks.map((one, i) => [['networks', i], one])
    for (const [path, { tls, host, sasl, certificate, channels: places = [] }] of all) {
      const names = places.map((place) => (typeof place === 'string' ? place : place.name).toLowerCase())
      names.forEach((name, i) => {
        if (names.indexOf(name) !== i)
          say([...path, 'channels', i], 'The channel stands there twice: give it once, with all it is to be told.')
      })
      if (tls === false && host !== undefined && !isThisMachine(host))
        say([...path, 'tls'], 'Passwords and commands would go over the network unencrypted. Leave it out.')
      if (sasl === 'external' && certificate === undefined)
        say([...path, 'sasl'], 'It needs the certificate of the bot: give "certificate".')
    }
  })
  .transform((given) => {
    const { networks, awayAfter = '1h', ...single } = given
    const all = networks ?? [single as z.infer<typeof networkShape>] // checked above
    return { awayMs: durationMs(awayAfter)!, networks: all.map((one) => networkOf(one, single)) }
  })

function networkOf(given: IrcNetwork, whole: IrcTelling): Network {
  const { host, nick, tls = true, tlsCa, certificate, password, sasl, nickserv, lineRate } = given
  const elsewhere = tellingOf(given, whole)
  return {
    host,
    nick,
    tls,
    ...(tlsCa !== undefined && { tlsCa }),
    ...(certificate && { certificate }),
    ...(password !== undefined && { password }),
    ...(sasl !== undefined && { sasl }),
    ...(nickserv && { nickserv }),
    port: given.port ?? (tls ? 6697 : 6667),
    name: given.name ?? host,
    username:
      given.username ??
      nick
        .toLowerCase()
        .replace(/[^a-z0-9]/g, '')
        .slice(0, 9),
    realname: given.realname ?? 'Boltbot',
    burst: lineRate?.burst ?? 4,
    everyMs: durationMs(lineRate?.every ?? '2s')!,
    elsewhere: { ...elsewhere, notify: [] },
    channels: given.channels.map((one) => {
      const channel = typeof one === 'string' ? { name: one } : one
      return {
        name: channel.name,
        ...('key' in channel && channel.key !== undefined && { key: channel.key }),
        ...tellingOf(channel, given, whole),
      }
    }),
  }
}

/** The first that says something wins. */
function tellingOf(...layers: readonly IrcTelling[]): Telling {
  const first = <Key extends keyof IrcTelling>(key: Key) => layers.find((layer) => layer[key] !== undefined)?.[key]
  const [builders, categories, branches] = [first('builders'), first('categories'), first('branches')]
  return {
    notify: first('notify') ?? ['problem', 'recovery', 'exception'],
    notice: first('notice') ?? false,
    colors: first('colors') ?? false,
    links: first('links') ?? true,
    ...(builders && { builders: builders.map((one) => (typeof one === 'string' ? one : one.name)) }),
    ...(categories && { categories }),
    ...(branches && { branches }),
  }
}

function isPositive(value: unknown): boolean {
  return (typeof value === 'string' || typeof value === 'number') && (durationMs(value) ?? 0) > 0
}

function isThisMachine(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d+){3}$/.test(host)
}

function isBuilder(value: unknown): boolean {
  if (typeof value === 'string') return value !== ''
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'builder'
}
