import type { ChatNews, Json } from 'boltbot/plugin-sdk'
import { deletePluginState, getPluginState, setPluginState } from '../store/plugin-state.ts'
import type { Store } from '../store/store.ts'

/** Somebody looks after a red builder. */
export interface Ack {
  readonly who: string
  readonly at: number
  readonly text: string
}

/** What the bot remembers over restarts: what places want to be told, and who is on what. */
export interface Memory {
  news(place: string): Promise<readonly ChatNews[] | undefined>
  setNews(place: string, news: readonly ChatNews[]): Promise<void>
  muted(place: string): Promise<boolean>
  setMuted(place: string, muted: boolean): Promise<void>
  ack(builder: string): Promise<Ack | undefined>
  /** `null`: it is green again. */
  setAck(builder: string, ack: Ack | null): Promise<void>
}

const OWNER = 'core/chat'

export function createMemory(store: Store): Memory {
  /** Asked at the end of every build. */
  const acks = new Map<string, Ack | undefined>()
  const get = (key: string) => getPluginState(store, OWNER, key)
  const put = (key: string, value: Json | null) =>
    value === null ? deletePluginState(store, OWNER, key) : setPluginState(store, OWNER, key, value)
  return {
    news: async (place) => (await get(`news/${place}`)) as readonly ChatNews[] | undefined, // stored below
    setNews: (place, news) => put(`news/${place}`, [...news]),
    muted: async (place) => (await get(`muted/${place}`)) === true,
    setMuted: (place, muted) => put(`muted/${place}`, muted ? true : null),
    async ack(builder) {
      if (!acks.has(builder)) acks.set(builder, (await get(`ack/${builder}`)) as unknown as Ack | undefined) // stored below
      return acks.get(builder)
    },
    async setAck(builder, ack) {
      await put(`ack/${builder}`, ack === null ? null : { ...ack })
      acks.set(builder, ack ?? undefined)
    },
  }
}
