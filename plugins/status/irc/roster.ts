import type { Clock } from 'boltbot/plugin-sdk'
import type { Client } from './client.ts'
import type { Presence } from './presence.ts'
import { accountIn } from './whois.ts'

/** Asks the server, where it can tell (WHOX), who is in a channel when the bot comes, and which accounts they are logged in to. */
export interface Roster extends Disposable {
  /** The bot goes to these channels, and no more is to be known before it is in them. */
  begin(channels: readonly string[]): void
  /** False: who is there is being asked. */
  readonly isSettled: boolean
}

/** For all channels together. */
const SETTLE_MS = 20_000
/** For one answer; the next is asked meanwhile. */
const ANSWER_MS = 10_000
/** More are not asked one by one: they speak, or the next connection asks. */
const MOST_WAITING = 100
/** Of the answers to our own questions. */
const TOKEN = '77'

export function createRoster(
  client: Client,
  clock: Clock,
  presence: Presence,
  raw: (...words: readonly string[]) => void,
): Roster {
  const lower = (text: string) => client.caseLower(text)
  /** Channels not asked to the end. */
  const expected = new Set<string>()
  const waiting: string[] = []
  let isSettled = false
  let asked: { readonly target: string; readonly timer: Disposable } | undefined
  let settling: Disposable | undefined

  const settle = () => {
    isSettled = true
    settling?.[Symbol.dispose]()
  }
  const done = (target: string) => {
    expected.delete(lower(target))
    if (expected.size === 0) settle()
  }
  const canTell = () => client.network.options.WHOX === true

  function ask(target: string): void {
    if (waiting.length < MOST_WAITING) waiting.push(target)
    next()
  }

  /** One at a time: servers slow down who asks much. */
  function next(): void {
    if (asked !== undefined) return
    const target = waiting.shift()
    if (target === undefined) return
    asked = { target, timer: clock.timer(ANSWER_MS, () => answered(target)) }
    raw('WHO', target, `%tuhnfa,${TOKEN}`)
  }

  function answered(target: string): void {
    if (asked === undefined || lower(asked.target) !== lower(target)) return
    asked.timer[Symbol.dispose]()
    asked = undefined
    done(target)
    next()
  }

  client.on('raw', ({ from_server, line }) => {
    if (!from_server) return
    const [, code, words = ''] = /^(?:@\S+ )?:\S+ (354|315) \S+ (.*)$/.exec(line) ?? []
    const [first = '', user = '', host = '', nick = '', flags = '', account = ''] = words.split(' ')
    if (code === '315') return answered(first)
    if (code !== '354' || first !== TOKEN || nick === '') return
    const said = accountIn(account.replace(/^:/, ''))
    presence.listed({ nick, account: said, mask: `${user}@${host}` }, flags.startsWith('G'))
  })
  client.on('join', ({ nick, channel }) => {
    if (client.caseCompare(nick, client.user.nick)) {
      if (canTell()) ask(channel)
      else done(channel)
    } else if (canTell() && !TELLS_ACCOUNTS.some((cap) => client.network.cap.isEnabled(cap))) ask(nick)
  })
  client.on('irc error', ({ channel }) => {
    if (channel !== undefined) done(channel)
  })

  return {
    begin(channels) {
      for (const channel of channels) expected.add(lower(channel))
      if (expected.size === 0) settle()
      else settling = clock.timer(SETTLE_MS, settle)
    },
    get isSettled() {
      return isSettled
    },
    [Symbol.dispose]() {
      settling?.[Symbol.dispose]()
      asked?.timer[Symbol.dispose]()
    },
  }
}

/** With one of these the server says at a join which account somebody is logged in to. */
const TELLS_ACCOUNTS = ['extended-join', 'account-tag']
