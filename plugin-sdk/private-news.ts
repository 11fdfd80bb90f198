import type { BuildFinished, BuildStarted } from './events.ts'
import type { Notice } from './notify.ts'

/**
 * News of a build for those who subscribed by IRC: in private there, by mail where nobody sees them. Whoever tells the same event tells
 * it once.
 * @example await host.notify(privateNews(event, 'build full #12 has ended', { to: ['jane'], page: null }))
 */
export function privateNews(
  { eventId, builder }: Pick<BuildStarted | BuildFinished, 'eventId' | 'builder'>,
  text: string,
  { to, page }: { readonly to: readonly string[]; readonly page: string | null },
): Notice {
  return {
    key: `build:${eventId}`,
    group: 'irc subscribers',
    to: to.map((who) => ({ who, via: ['irc', 'mail'] })),
    subject: text,
    text: [text, ...(page === null ? [] : [page]), ''].join('\n'),
    thread: `builder ${builder}`,
    extra: { why: { '*': 'you subscribed by IRC, where you were not seen' } },
  }
}
