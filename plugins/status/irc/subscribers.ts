import { type BuildFinished, type Host, newsOfBuild, type Onlooker, privateNews } from 'boltbot/plugin-sdk'

/** Tells those who subscribed by IRC; `passed`: nobody did. Of starts tells core, while it runs: they are no news later. */
export async function tellSubscribers(
  host: Pick<Host, 'http' | 'notify' | 'people'>,
  event: BuildFinished,
): Promise<'passed' | undefined> {
  const { to, text } = await newsFor(host, event)
  if (to.length === 0) return 'passed'
  const page = host.http.page(`/builders/${encodeURIComponent(event.builder)}/builds/${event.number}`)
  await host.notify(privateNews(event, text, { to, page }))
  return undefined
}

/** Who is told what of a finished build. */
export async function newsFor(
  { people }: Pick<Onlooker, 'people'>,
  event: BuildFinished,
): Promise<{ readonly to: readonly string[]; readonly text: string }> {
  const { kinds, text } = newsOfBuild(event)
  const interested = kinds.length === 0 ? [] : await people.interested({ ...event, kinds }, 'irc')
  return { to: interested.map(({ who }) => who), text }
}
