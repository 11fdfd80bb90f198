import { type Duration, definePlugin } from 'boltbot/plugin-sdk'
import { parseFeed } from './parse-feed.ts'

export interface FeedOptions {
  /** An RSS or Atom feed. */
  readonly url: string
  /** How often it is asked; default `'10m'`. */
  readonly interval?: Duration
  /** The category of its changes, for schedulers to filter by. */
  readonly category?: string
}

/** Each new entry of a feed is a change: releases of what you depend on, for instance. Entries that were there at first are not. */
export const feed = definePlugin({
  name: 'feed',
  kind: 'source',
  needs: ['changes', 'pollers', 'state'],
  id: ({ url }: FeedOptions) => `feed ${url}`,
  apply(host, { url, interval = '10m', category }) {
    host.registerPoller({
      name: host.id,
      interval,
      async poll({ signal }) {
        const etag = await host.state.get('etag')
        const answer = await fetch(url, { signal, headers: typeof etag === 'string' ? { 'if-none-match': etag } : {} })
        if (answer.status === 304) return
        if (!answer.ok) throw new Error(`"${url}" answers ${answer.status}.`)
        const entries = parseFeed(await answer.text())
        const seen = (await host.state.get('seen')) as readonly string[] | undefined // this poller wrote it
        for (const { id, title, author, link } of entries.toReversed()) {
          if (!seen || seen.includes(id)) continue
          await host.submitChange({
            who: author || url,
            files: [],
            comments: title,
            revision: id,
            revlink: link || null,
            ...(category !== undefined && { category }),
          })
        }
        // After its changes: a crash between hands them in again, and they are known by their revision.
        await host.state.set(
          'seen',
          entries.map(({ id }) => id),
        )
        await host.state.set('etag', answer.headers.get('etag'))
      },
    })
  },
})
