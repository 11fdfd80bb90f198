import type { ChatNews, Json } from 'boltbot/plugin-sdk'
import { deletePluginState, getPluginState, setPluginState } from '../store/plugin-state.ts'
import type { Store } from '../store/store.ts'

/** What the bot remembers over restarts of places: what they want to be told. */
export interface Memory {
  news(place: string): Promise<readonly ChatNews[] | undefined>
  setNews(place: string, news: readonly ChatNews[]): Promise<void>
  muted(place: string): Promise<boolean>
  setMuted(place: string, muted: boolean): Promise<void>
}

const OWNER = 'core/chat'

export function createMemory(store: Store): Memory {
  const get = (key: string) => getPluginState(store, OWNER, key)
  const put = (key: string, value: Json | null) =>
    value === null ? deletePluginState(store, OWNER, key) : setPluginState(store, OWNER, key, value)
  return {
    news: async (place) => (await get(`news/${place}`)) as readonly ChatNews[] | undefined, // stored below
    setNews: (place, news) => put(`news/${place}`, [...news]),
    muted: async (place) => (await get(`muted/${place}`)) === true,
    setMuted: (place, muted) => put(`muted/${place}`, muted ? true : null),
  }
}
