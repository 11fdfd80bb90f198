import type { BuildFinished, BuildNews, BuildStarted, Host, Onlooker } from 'boltbot/plugin-sdk'

interface News {
  readonly kinds: readonly BuildNews[]
  readonly text: string
}

/**
 * Tells those who subscribed by IRC, in private; by mail whom no bot sees. Several IRC plugins would tell the same: as a group they tell
 * it once.
 */
export async function tellSubscribers(
  host: Pick<Host, 'http' | 'notify' | 'people'>,
  event: BuildStarted | BuildFinished,
  { kinds, text }: News,
): Promise<void> {
  const to = await subscribersOf(host, event, kinds)
  if (to.length === 0) return
  const page = host.http.page(`/builders/${encodeURIComponent(event.builder)}/builds/${event.number}`)
  await host.notify({
    key: `build:${event.eventId}`,
    group: 'irc subscribers',
    to: to.map((who) => ({ who, via: ['irc', 'mail'] })),
    subject: text,
    text: [text, ...(page === null ? [] : [page]), ''].join('\n'),
    thread: `builder ${event.builder}`,
    extra: { why: { '*': 'you subscribed by IRC, where you were not seen' } },
  })
}

/** Who is told of such news. */
export async function subscribersOf(
  { people }: Pick<Onlooker, 'people'>,
  event: BuildStarted | BuildFinished,
  kinds: readonly BuildNews[],
): Promise<readonly string[]> {
  if (kinds.length === 0) return []
  return (await people.interested({ ...event, kinds }, 'irc')).map(({ who }) => who)
}
