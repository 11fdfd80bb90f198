import { type Chat, formatDuration, type Host } from 'boltbot/plugin-sdk'
import { CLOSED, type Client, type Message } from './client.ts'
import { commandIn } from './command-in.ts'
import { type Company, watchCompany } from './company.ts'
import type { Members } from './members.ts'
import type { Channel, Network, Telling } from './options.ts'
import { createOutgoing, type Line } from './outgoing.ts'
import { paint } from './paint.ts'
import { createPatience, IGNORED_MS } from './patience.ts'
import type { Activity, Seen } from './presence.ts'
import type { Session } from './session.ts'
import { identityHere, speakerOf } from './speaker.ts'
import { splitText } from './split.ts'
import { createTalks } from './talks.ts'

/** The bot on one network, over all its connections: places, lines that wait, channels to be in. */
export interface Bot extends Disposable {
  /** Opens the places; channels that were joined by command are remembered. */
  open(): Promise<void>
  /** Listens on a new connection. */
  attach(client: Client, session: Session): void
  /** It is registered: joins, and says what waits. */
  enter(client: Client, session: Session): void
  /** The connection is gone. */
  detach(): void
  /** See `Presence`; nobody is there while the connection is down. */
  seen(identity: string, ms: number): Seen | undefined
  /** Whether an identity can be of this network. */
  mayKnow(identity: string): boolean
  /** True: who was there when the bot came is known. */
  isSettled(): boolean
  /** Says lines to somebody in private, if it is still them. */
  tell(to: { readonly identity: string; readonly seen: Seen }, lines: readonly string[]): Promise<Told>
  /** How things are, in a sentence; `null`: it is not connected. */
  standing(): string | null
}

/** `gone`: they left, or somebody else has their nick; `unsure`: the server does not say; `lost`: the connection ended under way. */
export type Told = 'told' | 'gone' | 'unsure' | 'lost'

/** Without what servers put in front of a line on its way to others, and with room for a line end. */
const LINE_BYTES = 510
const PREFIX_BYTES = 100
const MOST_CHANNELS = 40
/** Lines of an answer: others read along, and one goes out every two seconds. */
const MOST_IN_CHANNEL = 10
const MOST_IN_PRIVATE = 40
/** So long a line that was promised to somebody waits for the network. */
const PROMISED_MS = 24 * 3_600_000
/** Behind a kick, or when a channel does not let the bot in. */
const REJOIN_MS = 15_000
const REJOIN_MOST_MS = 600_000
const REGAIN_MS = 30_000

export function createBot(host: Host, network: Network, isOnly: boolean): Bot {
  const { clock, log } = host
  const ownIdentity = (identity: string) => identityHere(identity, { network: network.name, isOnly })
  const channels = new Map<string, Channel>()
  const places = new Map<string, Chat>()
  const rejoins = new Map<string, { readonly timer: Disposable; readonly wait: number }>()
  const stored = `channels/${network.name}`
  /** Channels that let it in. */
  const inside = new Set<string>()
  const talks = createTalks(host, network.name, (nick) => openPlace(nick, network.elsewhere))
  let link: { readonly client: Client; readonly session: Session } | undefined
  let regain: Disposable | undefined
  let company: Company | undefined
  const activity: Activity = new Map()
  const patience = createPatience(clock)
  const outgoing = createOutgoing({ clock, burst: network.burst, everyMs: network.everyMs, split })

  function split({ command, target, text }: Line): readonly string[] {
    return splitText(text, LINE_BYTES - PREFIX_BYTES - Buffer.byteLength(`${command} ${target} :`))
  }

  const lineTo = (target: string, telling: Telling, text: string): Line => ({
    command: telling.notice ? 'NOTICE' : 'PRIVMSG',
    target,
    text: telling.colors ? paint(text) : text,
  })

  function openPlace(target: string, telling: Telling): Chat {
    const { builders, categories, branches, notify, links } = telling
    const personal = !/^[#&+!]/.test(target)
    return host.openChat({
      id: `${network.name}/${target.toLowerCase()}`,
      via: 'irc',
      personal,
      mostLines: personal ? MOST_IN_PRIVATE : MOST_IN_CHANNEL,
      notify,
      links,
      ...(builders && { builders }),
      ...(categories && { categories }),
      ...(branches && { branches }),
      announce: (text) => outgoing.news(lineTo(target, telling, text)),
      tell: (name, text) =>
        new Promise((done) => {
          const line = lineTo(target, telling, personal ? text : `${name}: ${text}`)
          outgoing.answer({ ...line, turn: name, keepMs: PROMISED_MS, done })
        }),
      join,
      leave,
    })
  }

  function addChannel(channel: Channel): void {
    const key = channel.name.toLowerCase()
    channels.set(key, channel)
    if (!places.has(key)) places.set(key, openPlace(channel.name, channel))
  }

  const remember = () => {
    const configured = network.channels.map(({ name }) => name.toLowerCase())
    const extra = [...channels.values()]
      .map(({ name }) => name)
      .filter((name) => !configured.includes(name.toLowerCase()))
    return host.state.set(stored, extra)
  }

  async function join(name: string): Promise<string> {
    const channel = /^[#&+!]/.test(name) ? name : `#${name}`
    if (!/^[#&+!][^\s,:]{1,60}$/.test(channel)) return `"${channel}" cannot be the name of a channel.`
    if (channels.size >= MOST_CHANNELS) return `I am in ${channels.size} channels; I cannot hear more.`
    if (inside.has(channel.toLowerCase())) return `I am in ${channel} already.`
    const isNew = !channels.has(channel.toLowerCase())
    if (isNew) addChannel({ ...network.elsewhere, name: channel })
    enterChannel(channels.get(channel.toLowerCase())!)
    if (isNew) await remember()
    return `I go to ${channel}.`
  }

  async function leave(name: string): Promise<string> {
    const key = (/^[#&+!]/.test(name) ? name : `#${name}`).toLowerCase()
    const channel = channels.get(key)
    if (channel === undefined) return `I am not in ${name}.`
    channels.delete(key)
    inside.delete(key)
    places.get(key)?.[Symbol.dispose]()
    places.delete(key)
    forgetRejoin(key)
    link?.session.raw('PART', channel.name, 'Good bye.')
    await remember()
    return `I have left ${channel.name}.`
  }

  function enterChannel({ name, key }: Channel): void {
    link?.session.raw('JOIN', name, ...(key === undefined ? [] : [host.secrets.resolve(key)]))
  }

  function forgetRejoin(key: string): void {
    rejoins.get(key)?.timer[Symbol.dispose]()
    rejoins.delete(key)
  }

  /** Again after a while, and then after longer. */
  function rejoin(name: string, why: string): void {
    const key = name.toLowerCase()
    const channel = channels.get(key)
    if (channel === undefined) return
    const wait = Math.min(REJOIN_MOST_MS, (rejoins.get(key)?.wait ?? REJOIN_MS / 2) * 2)
    forgetRejoin(key)
    rejoins.set(key, { wait, timer: clock.timer(wait, () => enterChannel(channel)) })
    log.warn('not in a channel', { network: network.name, channel: name, why, againMs: wait })
  }

  async function hear(message: Message, client: Client, members: Members): Promise<void> {
    const { nick, target, message: said, from_server } = message
    if (from_server || !nick || client.caseCompare(nick, client.user.nick)) return
    const isPrivate = client.caseCompare(target, client.user.nick)
    const command = commandIn(said, [client.user.nick, network.nick], isPrivate)
    if (command === undefined) return
    const telling = isPrivate ? network.elsewhere : channels.get(target.toLowerCase())
    if (telling === undefined) return
    const to = isPrivate ? nick : target
    const reply = (line: string) =>
      outgoing.answer({ ...lineTo(to, telling, isPrivate ? line : `${nick}: ${line}`), turn: nick })
    const judged = patience.judge(`${message.ident}@${message.hostname}`)
    if (judged === 'enough') reply(`Too much at once: I do not listen to you for ${formatDuration(IGNORED_MS)}.`)
    if (judged !== 'heard') return
    const place = isPrivate ? talks.with(nick) : places.get(target.toLowerCase())
    const speaker = await speakerOf(message, {
      client,
      clock,
      members,
      network: network.name,
      isOnly,
      channels: () => [...channels.values()].map(({ name }) => name),
    })
    await place?.hear({ speaker, text: command, reply })
  }

  /** As long as it has another nick than it should. */
  function watchNick(client: Client, session: Session): void {
    regain = clock.timer(REGAIN_MS, () => {
      if (!client.caseCompare(client.user.nick, network.nick)) {
        // Services free a nick for the account it belongs to.
        const { sasl, nickserv } = network
        if (sasl !== undefined || nickserv !== undefined) session.raw('PRIVMSG', 'NickServ', `RECOVER ${network.nick}`)
        session.raw('NICK', network.nick)
      }
      watchNick(client, session)
    })
  }

  return {
    async open() {
      for (const channel of network.channels) addChannel(channel)
      await talks.recall()
      const extra = await host.state.get(stored)
      if (!Array.isArray(extra)) return
      for (const name of extra) if (typeof name === 'string') addChannel({ ...network.elsewhere, name })
    },
    attach(client, session) {
      company = watchCompany(client, session, clock, activity)
      const { members } = company
      const isMe = (nick: string) => client.caseCompare(nick, client.user.nick)
      client.on('privmsg', (message) => {
        hear(message, client, members).catch((error: unknown) => log.error('irc message not answered', { error }))
      })
      client.on('join', ({ nick, channel }) => {
        if (!isMe(nick)) return
        forgetRejoin(channel.toLowerCase())
        inside.add(channel.toLowerCase())
        log.info('joined', { network: network.name, channel })
      })
      client.on('part', ({ nick, channel }) => {
        if (isMe(nick)) inside.delete(channel.toLowerCase())
      })
      client.on('kick', ({ kicked, nick, channel, message }) => {
        if (!isMe(kicked)) return
        inside.delete(channel.toLowerCase())
        rejoin(channel, `kicked by ${nick}: ${message}`)
      })
      client.on('irc error', ({ error, channel, reason }) => {
        if (channel !== undefined && CLOSED.has(error)) rejoin(channel, reason ?? error)
      })
      const freed = (nick: string) => {
        if (client.caseCompare(nick, network.nick) && !isMe(network.nick)) session.raw('NICK', network.nick)
      }
      client.on('quit', ({ nick }) => freed(nick))
      client.on('nick', ({ nick }) => freed(nick))
    },
    enter(client, session) {
      link = { client, session }
      company?.begin([...channels.keys()])
      for (const channel of channels.values()) enterChannel(channel)
      const bot = client.network.options.BOT
      if (typeof bot === 'string') session.raw('MODE', client.user.nick, `+${bot}`)
      watchNick(client, session)
      outgoing.attach(({ command, target, text }) => session.raw(command, target, text))
    },
    detach() {
      link = undefined
      inside.clear()
      company?.[Symbol.dispose]()
      company = undefined
      regain?.[Symbol.dispose]()
      for (const key of [...rejoins.keys()]) forgetRejoin(key)
      outgoing.attach(null)
    },
    mayKnow: (identity) => ownIdentity(identity) !== undefined,
    isSettled: () => link !== undefined && (company?.isSettled ?? false),
    seen(identity, ms) {
      const own = ownIdentity(identity)
      return own === undefined ? undefined : company?.seen(own, ms)
    },
    async tell({ identity, seen }, lines) {
      const isStill = await company?.isStill(seen, ownIdentity(identity) ?? identity)
      if (isStill !== true) return isStill === undefined ? 'unsure' : 'gone'
      const written = lines.map(
        (text) =>
          new Promise<boolean>((done) => outgoing.answer({ ...lineTo(seen.nick, network.elsewhere, text), done })),
      )
      return (await Promise.all(written)).every((one) => one) ? 'told' : 'lost'
    },
    standing() {
      if (link === undefined) return null
      const names = [...channels.values()].map(({ name }) => name)
      const outside = names.filter((name) => rejoins.has(name.toLowerCase()))
      const inside = names.filter((name) => !outside.includes(name))
      const kept = outside.length === 0 ? '' : `; not let into ${outside.join(', ')}`
      return `there as ${link.client.user.nick}, in ${inside.join(', ') || 'no channel'}${kept}`
    },
    [Symbol.dispose]() {
      this.detach()
      for (const place of places.values()) place[Symbol.dispose]()
      places.clear()
      talks[Symbol.dispose]()
      outgoing[Symbol.dispose]()
    },
  }
}
