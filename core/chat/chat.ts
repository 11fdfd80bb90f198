import {
  type Chat,
  type ChatCommand,
  type ChatMessage,
  type ChatNews,
  type ChatPlace,
  CiError,
  messageOf,
  type Notice,
  newsOfStart,
  type People,
  privateNews,
} from 'boltbot/plugin-sdk'
import type { Config } from '../config/model.ts'
import type { Store, StoredEvent } from '../store/store.ts'
import type { Call, ChatTools, Place } from './command.ts'
import { actCommands } from './commands/act.ts'
import { followCommands } from './commands/follow.ts'
import { lookCommands } from './commands/look.ts'
import { personCommands } from './commands/person.ts'
import { slaveCommands } from './commands/slaves.ts'
import { smallCommands } from './commands/small.ts'
import { pageOfBuild, plain } from './describe.ts'
import { badCommand, commandTwice, lineTooLong } from './errors.ts'
import { createFinder } from './find.ts'
import { createFollowers } from './followers.ts'
import { createMemory } from './memory.ts'
import { type News, newsOf, passes } from './news.ts'
import { createTable } from './table.ts'
import { splitWords } from './words.ts'

/** The chat bot behind all doors: the commands, the places that are open, and what is told there. */
export interface ChatCore {
  /** Opens a place: from then on news are told there. */
  open(place: ChatPlace): Chat
  /** Adds a plugin's command. @throws CiError `BOLT_CHAT_COMMAND_NAME`, `BOLT_CHAT_COMMAND_TWICE`. */
  register(plugin: string, command: ChatCommand, run: ChatCommand['run']): Disposable
  /** Events of the journal, in order. */
  deliver(events: readonly StoredEvent[]): void
}

export interface ChatDeps extends Omit<ChatTools, 'followers' | 'tellAll'> {
  readonly store: Store
  readonly config: () => Config
  /** The address of a page; `null`: nobody serves it. */
  readonly page: (path: string) => string | null
  readonly interested: People['interested']
  readonly notify: (notice: Notice) => Promise<unknown>
}

const MOST_LINE = 2000
/** A long answer is cut where a place does not say how long it may be. */
const MOST_LINES = 40

interface Open {
  readonly place: ChatPlace
  /** As the config says, until what was set here is read. */
  news: ReadonlySet<ChatNews>
  muted: boolean
  /** Resolved when what was set here before is known; `undefined`: it is. */
  ready: Promise<void> | undefined
}

export function createChat(deps: ChatDeps): ChatCore {
  const { log, query } = deps
  const memory = createMemory(deps.store)
  const categoryOf = (builder: string) => deps.config().builders.get(builder)?.category ?? null
  const open = new Set<Open>()
  const followers = createFollowers({ ...deps, say: sayTo })
  const tools: ChatTools = {
    ...deps,
    followers,
    tellAll(text) {
      // A talk of one person is no audience, unless it wants to hear news.
      const listens = ({ place, news }: Open) => !place.personal || news.size > 0
      const told = [...open].filter((one) => !one.muted && one.place.stays !== false && listens(one))
      for (const { place } of told) place.announce(plain(text))
      return told.length
    },
  }
  const find = createFinder(query)
  const table = createTable([
    ...lookCommands(tools, find),
    ...actCommands(tools, find),
    ...followCommands(tools, find),
    ...slaveCommands(tools, find),
    ...personCommands(tools, find),
    ...smallCommands(tools, () => table),
  ])
  let telling: Promise<void> = Promise.resolve()

  async function tell(news: News): Promise<void> {
    const { kinds, builder, ended } = news
    for (const { ready } of open) if (ready !== undefined) await ready
    const told = [...open].filter(
      (one) => !one.muted && kinds.some((kind) => one.news.has(kind)) && passes(news, one.place, categoryOf),
    )
    if (told.length === 0) return
    const isBad = kinds.includes('failure') || kinds.includes('exception')
    if (isBad && ended !== null && builder !== null && (await deps.acks.covers({ build: ended, builder }))) return
    const text = plain(news.text)
    // One open at the beginning may be closed by now.
    for (const one of told) if (open.has(one)) one.place.announce(`${text}${linkIn(one, news.page)}`)
  }

  /** In private, to those who subscribed to starts: of ends tell plugins, over restarts too; a start is no news later. */
  async function tellStart({ name, event }: StoredEvent): Promise<void> {
    if (name !== 'buildStarted') return
    const { kinds, text } = newsOfStart(event)
    const to = (await deps.interested({ ...event, kinds }, 'irc')).map(({ who }) => who)
    if (to.length > 0) await deps.notify(privateNews(event, text, { to, page: deps.page(pageOfBuild(event)) }))
  }

  /** With a blank in front; empty: there is none, or it is not wanted here. */
  function linkIn({ place }: Open, path: string | null): string {
    const url = path === null || place.links === false ? null : deps.page(path)
    return url === null ? '' : ` ${url}`
  }

  /** To one person; see `FollowersDeps.say`. */
  async function sayTo(
    { place: id, name }: { readonly place: string; readonly name: string },
    line: string,
    page: string | null,
  ): Promise<boolean> {
    const told = [...open].filter(({ place }) => place.id === id && place.stays !== false)
    const done = told.map(async (one) => {
      const text = `${plain(line)}${linkIn(one, page)}`
      if (!one.place.tell) one.place.announce(`${name}: ${text}`)
      // What an open place gave up is not tried for ever.
      return (await one.place.tell?.(name, text)) !== false || open.has(one)
    })
    return (await Promise.all(done)).includes(true)
  }

  async function recall(one: Open): Promise<void> {
    const { id } = one.place
    try {
      const news = await memory.news(id)
      one.muted = await memory.muted(id)
      if (news !== undefined) one.news = new Set(news)
    } catch (error) {
      log.error('settings of a chat not read', { place: id, error })
    } finally {
      one.ready = undefined
    }
  }

  function placeOf(one: Open): Place {
    const { place } = one
    return {
      id: place.id,
      via: place.via,
      stays: place.stays ?? true,
      personal: place.personal ?? false,
      get news() {
        return one.news
      },
      get muted() {
        return one.muted
      },
      async setNews(news) {
        await memory.setNews(place.id, news)
        one.news = new Set(news)
      },
      async setMuted(muted) {
        await memory.setMuted(place.id, muted)
        one.muted = muted
      },
      ...(place.join && { join: (name) => place.join!(name) }),
      ...(place.leave && { leave: (name) => place.leave!(name) }),
    }
  }

  async function answer(one: Open, { speaker, text, reply }: ChatMessage, signal: AbortSignal): Promise<void> {
    const say = (line: string) => {
      if (!signal.aborted) reply(plain(line))
    }
    try {
      await one.ready
      if (text.length > MOST_LINE) throw lineTooLong(MOST_LINE)
      const words = splitWords(text)
      if (words.length === 0) return say('Yes? Say "help" to see what I can do.')
      const { command, rest } = table.find(words)
      const { who, proofs } = speaker
      const asker = { who, via: one.place.via, ...(proofs && { proofs }) }
      const call: Call = {
        speaker,
        asker,
        place: placeOf(one),
        words: rest,
        signal,
        reply: say,
        link: (path) => linkIn(one, path),
      }
      const said = (await command.run(call)) ?? []
      const lines = typeof said === 'string' ? [said] : said
      const { mostLines = MOST_LINES, personal = false } = one.place
      for (const line of lines.slice(0, mostLines)) say(line)
      const cut = lines.length - mostLines
      if (cut > 0) say(`… and ${cut} ${cut === 1 ? 'line' : 'lines'} more.${personal ? '' : ' In private I say more.'}`)
    } catch (error) {
      if (error instanceof CiError)
        return say(error.hint === undefined ? error.message : `${error.message} ${error.hint}`)
      log.error('chat command failed', { place: one.place.id, who: speaker.who, error })
      say(`That went wrong; my log says more: ${messageOf(error)}`)
    }
  }

  return {
    open(place) {
      const closing = new AbortController()
      const one: Open = { place, news: new Set(place.notify ?? []), muted: false, ready: undefined }
      one.ready = recall(one)
      open.add(one)
      if (place.stays !== false) followers.opened(place.id)
      return {
        hear: (message) => answer(one, message, closing.signal),
        [Symbol.dispose]() {
          open.delete(one)
          closing.abort()
        },
      }
    },
    register(plugin, given, run) {
      const { name, usage = '', summary = '', example } = given ?? {}
      if (
        typeof name !== 'string' ||
        !/^[a-z][a-z0-9-]*( [a-z][a-z0-9-]*)?$/.test(name) ||
        typeof given.run !== 'function'
      )
        throw badCommand(name, plugin)
      const command = {
        name,
        usage,
        summary,
        example: example ?? name,
        run: ({ speaker, place, words, signal, reply }: Call) =>
          run({ speaker, place: place.id, words, signal, reply }),
      }
      if (!table.add(command)) throw commandTwice(name, plugin)
      return { [Symbol.dispose]: () => table.remove(command) }
    },
    deliver(events) {
      followers.deliver(events)
      for (const event of events) {
        const news = newsOf(event)
        if (news === undefined) continue
        telling = telling
          .then(() => (open.size === 0 ? undefined : tell(news)))
          .then(() => tellStart(event))
          .catch((error: unknown) => log.error('news not told', { error }))
      }
    },
  }
}
