import {
  type Clock,
  type Log,
  messageOf,
  type Onlooker,
  type PastBuild,
  type People,
  type Query,
} from 'boltbot/plugin-sdk'
import { type News, newsOf, passes } from '../chat/news.ts'
import type { Config } from '../config/model.ts'

/** A mail or a line that a config would have sent about a build that has finished. */
export interface Telling {
  /** `full #12`. */
  readonly build: string
  readonly plugin: string
  readonly text: string
}

export interface TellingsDeps {
  readonly query: Query
  readonly people: (config: Config) => People
  readonly clock: Clock
  readonly log: Log
}

/** What the status targets of a config would tell of finished builds, as if it had been in force. Nobody is told, nothing is stored. */
export async function tellingsOf(
  config: Config,
  pasts: readonly PastBuild[],
  deps: TellingsDeps,
): Promise<{ readonly tellings: readonly Telling[]; readonly problems: readonly string[] }> {
  const tellings: Telling[] = []
  const problems: string[] = []
  const query = seenThrough(config, deps.query)
  const people = deps.people(config)
  for (const { id, definition, options } of config.plugins) {
    if (!definition.tells) continue
    const looker: Onlooker = { id, query, people, clock: deps.clock, log: deps.log, chatNews: chatNewsOf(config) }
    try {
      for (const past of pasts) {
        const build = `${past.event.builder} #${past.event.number}`
        const lines = await definition.tells(looker, options as never, past) // the factory tied options and definition
        for (const text of lines) tellings.push({ build, plugin: id, text })
      }
    } catch (error) {
      problems.push(`"${id}" could not say what it would tell: ${messageOf(error)}`)
    }
  }
  return { tellings, problems }
}

/** What one config tells and the other does not; the same line of another plugin is the same. */
export function compareTellings(before: readonly Telling[], after: readonly Telling[]) {
  const keyOf = ({ build, text }: Telling) => JSON.stringify([build, text])
  const left = new Map<string, Telling[]>()
  for (const one of before) left.getOrInsertComputed(keyOf(one), () => []).push(one)
  const more = after.filter((one) => left.get(keyOf(one))?.shift() === undefined)
  return { fewer: [...left.values()].flat(), more, same: after.length - more.length }
}

/** Builds are as they were; their builders and the project are as the config says. */
function seenThrough(config: Config, query: Query): Query {
  return {
    ...query,
    project: () => ({ name: config.projectName, url: config.projectURL }),
    async builder(name) {
      const [now, next] = [await query.builder(name), config.builders.get(name)]
      return now && { ...now, category: next === undefined ? now.category : next.category }
    },
  }
}

function chatNewsOf(config: Config): Onlooker['chatNews'] {
  const categoryOf = (builder: string) => config.builders.get(builder)?.category ?? null
  return async ({ event }, place) => {
    const news: News | undefined = newsOf({ name: 'buildFinished', event })
    const wanted = news?.kinds.some((kind) => place.notify?.includes(kind))
    return news !== undefined && wanted && passes(news, place, categoryOf) ? news.text : null
  }
}
