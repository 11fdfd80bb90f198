import { BUILD_NEWS } from 'boltbot/plugin-sdk'
import { z } from 'zod'
import type { Master } from '../master-api.ts'
import { controlBadParams } from './errors.ts'
import type { ControlMethod } from './server.ts'

const text = z.string().min(1)
const thing = z.object({ who: text, kind: z.enum(['builder', 'branch']), name: text })
const subscription = thing.extend({
  by: z.enum(['mail', 'irc']),
  events: z.array(z.enum(BUILD_NEWS)).min(1).nullable().default(null),
})
const person = z.object({ who: text })
const maybePerson = z.object({ who: text.optional() })

/** Who is who, and who wants to be told of what. */
export function createPeopleMethods({ people }: Pick<Master, 'people'>): Readonly<Record<string, ControlMethod>> {
  return {
    person: async (params) => people.look(parse('person', person, params).who),
    people: async () => people.standing(),
    subscribe: async (params) => people.subscribe(parse('subscribe', subscription, params)),
    unsubscribe: async (params) => people.unsubscribe(parse('unsubscribe', thing, params)),
    subscriptions: async (params) => people.subscriptions(parse('subscriptions', maybePerson, params).who),
  }
}

function parse<T>(name: string, shape: z.ZodType<T>, params: unknown): T {
  const given = shape.safeParse(params)
  if (given.success) return given.data
  const problems = given.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)
  throw controlBadParams(name, problems.join('; '))
}
