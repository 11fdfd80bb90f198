// biome-ignore lint/suspicious/noTsIgnore: whoever compiles this file with other settings sees no error here
// @ts-ignore: irc-framework has no types; those below are of what we use
import irc from 'irc-framework'

/** A client that does nothing yet. */
export const createClient = (): Client => new irc.Client()

interface Tags {
  readonly [name: string]: string
}
export interface Message {
  readonly type: 'privmsg' | 'notice' | 'action'
  readonly nick: string
  readonly ident: string
  readonly hostname: string
  readonly target: string
  readonly message: string
  readonly account?: string
  readonly from_server?: boolean
  readonly tags: Tags
}
interface Events {
  registered: { readonly nick: string }
  privmsg: Message
  'nick in use': { readonly nick: string; readonly reason: string }
  'nick invalid': { readonly nick: string; readonly reason: string }
  'sasl failed': { readonly reason: string; readonly message?: string }
  'cap ack': { readonly capabilities: Readonly<Record<string, string>> }
  loggedin: { readonly nick: string; readonly account: string }
  join: {
    readonly nick: string
    readonly channel: string
    readonly ident: string
    readonly hostname: string
    readonly account?: string | false
    readonly tags?: Tags
  }
  account: { readonly nick: string; readonly account: string | false }
  part: { readonly nick: string; readonly channel: string }
  kick: { readonly kicked: string; readonly nick: string; readonly channel: string; readonly message: string }
  quit: { readonly nick: string; readonly message: string }
  nick: { readonly nick: string; readonly new_nick: string }
  'user updated': { readonly nick: string; readonly new_ident?: string; readonly new_hostname?: string }
  userlist: {
    readonly channel: string
    readonly users: readonly { readonly nick: string; readonly modes: readonly string[] }[]
  }
  mode: {
    readonly target: string
    readonly modes: readonly { readonly mode: string; readonly param?: string | null }[]
  }
  'irc error': { readonly error: string; readonly channel?: string; readonly nick?: string; readonly reason?: string }
  pong: unknown
  raw: { readonly line: string; readonly from_server: boolean }
  'socket close': unknown
}
export interface Whois {
  readonly ident?: string
  readonly hostname?: string
  readonly account?: string
  readonly error?: string
}
export interface Client {
  readonly user: { readonly nick: string; readonly username: string; readonly host: string }
  readonly network: {
    readonly options: Readonly<Record<string, unknown>>
    readonly cap: { isEnabled(name: string): boolean }
  }
  connect(options: object): void
  on<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => void): this
  raw(...words: (string | number)[]): void
  whois(nick: string, done: (event: Whois) => void): void
  caseCompare(a: string, b: string): boolean
  caseLower(text: string): string
  removeAllListeners(): void
}

/** Errors by which a channel does not let somebody in. */
export const CLOSED: ReadonlySet<string> = new Set([
  'banned_from_channel',
  'invite_only_channel',
  'channel_is_full',
  'bad_channel_key',
  'too_many_channels',
  'no_such_channel',
])
