import type { ChatAnswer, ChatNews, ChatSpeaker, Clock, GuardedAction, Log, Query } from 'boltbot/plugin-sdk'
import type { Actions } from '../actions.ts'
import type { PeopleDesk } from '../people/desk.ts'
import type { SlaveActions } from '../slave-actions.ts'
import type { Acks } from './acks.ts'
import type { Followers } from './followers.ts'

/** What the commands work with. */
export interface ChatTools {
  readonly query: Query
  readonly actions: Actions & SlaveActions
  readonly clock: Clock
  readonly log: Log
  readonly followers: Followers
  readonly acks: Acks
  /** Left out where the program is none of the bot's: in tests. */
  readonly program: ProgramActs | undefined
  /** The one guard of all acts. */
  readonly guard: (action: GuardedAction) => Promise<void>
  readonly people: PeopleDesk
  /** Says something in every place that is not muted; gives how many these are. */
  tellAll(text: string): number
}

/** What only the program around the master can do. */
export interface ProgramActs {
  readonly version: string
  reconfigure(by: Asker): Promise<readonly string[]>
  /** Begins to stop the whole program; resolves at once. */
  shutDown(who: string, reason: string): void
}

/** Who asks, for actions and guards. */
export interface Asker {
  readonly who: string
  readonly via: string
  readonly proofs?: readonly string[]
}

/** The place of a call as commands see it. */
export interface Place {
  readonly id: string
  readonly via: string
  readonly stays: boolean
  readonly personal: boolean
  readonly news: ReadonlySet<ChatNews>
  readonly muted: boolean
  setNews(news: readonly ChatNews[]): Promise<void>
  setMuted(muted: boolean): Promise<void>
  join?(name: string): Promise<string>
  leave?(name: string): Promise<string>
}

export interface Call {
  readonly speaker: ChatSpeaker
  readonly asker: Asker
  readonly place: Place
  readonly words: readonly string[]
  readonly signal: AbortSignal
  reply(text: string): void
  /** What a line may end with, to lead to a page: a blank and its address; empty when there is none. */
  link(path: string): string
}

export interface Command {
  readonly name: string
  /** Other names, not listed. */
  readonly also?: readonly string[]
  readonly usage: string
  readonly summary: string
  readonly example: string
  run(call: Call): ChatAnswer | Promise<ChatAnswer>
}
