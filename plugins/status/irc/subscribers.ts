import { type BuildFinished, type ChatNews, type Host, newsOfBuild, type Onlooker } from 'boltbot/plugin-sdk'

/** What subscribers are told of: what needs somebody, and the end of that. */
const NEWS: ReadonlySet<ChatNews> = new Set(['problem', 'recovery', 'exception'])

/** Tells those who subscribed by IRC, in private; by mail whom the bot does not see. */
export async function tellSubscribers(
  host: Pick<Host, 'http' | 'notify' | 'people'>,
  event: BuildFinished,
): Promise<void> {
  const news = await newsFor(host, event)
  if (news === null) return
  const page = host.http.page(`/builders/${encodeURIComponent(event.builder)}/builds/${event.number}`)
  await host.notify({
    key: `build:${event.eventId}`,
    to: news.to.map((who) => ({ who, via: ['irc', 'mail'] })),
    subject: news.text,
    text: [news.text, ...(page === null ? [] : [page]), ''].join('\n'),
    thread: `builder ${event.builder}`,
    extra: { why: { '*': 'you subscribed by IRC, where you were not seen' } },
  })
}

/** Who is told what of a finished build; `null`: nobody. */
export async function newsFor(
  { people }: Pick<Onlooker, 'people'>,
  event: BuildFinished,
): Promise<{ readonly to: readonly string[]; readonly text: string } | null> {
  const { kinds, text } = newsOfBuild(event)
  if (!kinds.some((kind) => NEWS.has(kind))) return null
  const to = (await people.interested(event, 'irc')).map(({ who }) => who)
  return to.length === 0 ? null : { to, text }
}
