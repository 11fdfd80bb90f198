/** The chat bot: what people type in a place, and what they are told there. One command table for all doors: IRC, the terminal. */

/** Somebody who speaks. */
export interface ChatSpeaker {
  /** As others see them: a nickname, a login. */
  readonly name: string
  /** For records: `jane` when the way in proved it; else with what it knows, `jane!j@host`. */
  readonly who: string
  /**
   * What the way in knows for sure, for the rules of `access`: `account:jane`, `host:jane!j@host.example.org`, `op:#hello`. Left out: the
   * way in belongs to the user of the master, who may do everything.
   */
  readonly proofs?: readonly string[]
}

/** One command as it was typed. */
export interface ChatCall {
  readonly speaker: ChatSpeaker
  /** The id of the place. */
  readonly place: string
  /** The words behind the name of the command; quotes are taken away as a shell does. */
  readonly words: readonly string[]
  /** Aborted when the place or the plugin goes. */
  readonly signal: AbortSignal
  /** Says a line to the speaker in this place; also later, as long as the place is open. */
  reply(text: string): void
}

/** A command of the chat bot. */
export interface ChatCommand {
  /** One word, or two: `lamp`, `lamp off`. */
  readonly name: string
  /** What stands behind the name: `BUILDER [REASON]`; empty: nothing. */
  readonly usage: string
  /** What it does, without a capital or a full stop. */
  readonly summary: string
  readonly example: string
  /** What it returns is said, a line each. A `CiError` is said politely; anything else is logged. */
  run(call: ChatCall): ChatAnswer | Promise<ChatAnswer>
}

/** What a chat command says: a line, several, or nothing. */
// biome-ignore lint/suspicious/noConfusingVoidType: a command that says nothing returns nothing
export type ChatAnswer = void | undefined | string | readonly string[]

/** What people can be told of builds; what one can subscribe to. */
export const BUILD_NEWS = [
  'started',
  'finished',
  'success',
  'warnings',
  'failure',
  'exception',
  'cancelled',
  'problem',
  'recovery',
] as const
/** What a place can be told of: turned on and off there with `notify`. */
export const CHAT_NEWS = [...BUILD_NEWS, 'slaveMissing', 'slaveBack', 'reconfig'] as const
/** One of {@link BUILD_NEWS}. */
export type BuildNews = (typeof BUILD_NEWS)[number]
/** One of {@link CHAT_NEWS}. */
export type ChatNews = (typeof CHAT_NEWS)[number]

/** Which builds are spoken of. Left out: all. */
export interface ChatFilter {
  readonly builders?: readonly string[]
  readonly categories?: readonly string[]
  readonly branches?: readonly string[]
}

/** A channel, a private talk, a terminal. */
export interface ChatPlace extends ChatFilter {
  /** Unique and stable: `libera/#hello`. What was set there (`notify`, `mute`) is stored by it. */
  readonly id: string
  /** The way in, for guards: `irc`. */
  readonly via: string
  /** Whether what is told here carries the address of its page, when the master serves one; default true. */
  readonly links?: boolean
  /** What is told here until somebody says otherwise; default: nothing. */
  readonly notify?: readonly ChatNews[]
  /** True: the talk of one person; what is set there concerns nobody else. Default: others are there. */
  readonly personal?: boolean
  /** False: nobody is there later, so nothing is promised; default true. */
  readonly stays?: boolean
  /** Of an answer, longer ones are cut; default 40. */
  readonly mostLines?: number
  /** Says a line of news to everybody here. */
  announce(text: string): void
  /**
   * Says a line to somebody here who was promised it; also after a restart of the master. Resolves with true when it was handed over, with false when it never will be: asked
   * again once the place is opened anew, if it was closed by then. Left out: it is announced, with the name in front.
   */
  tell?(name: string, text: string): Promise<boolean>
  /**
   * Lets the bot enter or leave another place of the same network; gives what to say. Left out: there are none. Resolves when it is on its way.
   */
  join?(name: string): Promise<string>
  /** Leaves one; resolves when it is on its way. */
  leave?(name: string): Promise<string>
}

/** Something that was said to the bot in a place. */
export interface ChatMessage {
  readonly speaker: ChatSpeaker
  /** The command line, without the bot's name in front. */
  readonly text: string
  /** Says a line to the speaker in this place. */
  reply(text: string): void
}

/** An open place. Disposed: nothing is said there any more. */
export interface Chat extends Disposable {
  /** Answers by `reply`; resolves when the answer was given. Never rejects. */
  hear(message: ChatMessage): Promise<void>
}
