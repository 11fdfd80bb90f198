import { BUILD_NEWS, type SubscribedBy } from 'boltbot/plugin-sdk'
import type { Claimant } from '../../people/desk.ts'
import { stranger } from '../../people/errors.ts'
import type { Subscription } from '../../store/subscriptions.ts'
import type { Call, ChatTools, Command } from '../command.ts'
import { notHere, unknownName, unknownOption, wrongUsage } from '../errors.ts'
import { type Finder, newsNamed } from '../find.ts'
import { takeOptions } from '../words.ts'

const SUBSCRIBE = 'subscribe BUILDER|--branch NAME [EVENT …] [--by mail|irc]'
const UNSUBSCRIBE = 'unsubscribe BUILDER|--branch NAME'

/** What people say of themselves: who they are, what they want to be told of. */
export function personCommands({ people }: Pick<ChatTools, 'people'>, find: Finder): readonly Command[] {
  /** Who speaks, as the config knows them. */
  async function speakerOf({ asker }: Call): Promise<string> {
    if (asker.proofs === undefined) return asker.who
    const [who] = await people.behind(asker.proofs)
    if (who === undefined) throw stranger()
    return who
  }

  async function thingOf(call: Call, usage: string, options: readonly string[]) {
    const { words, given, unknown } = takeOptions(call.words, options)
    if (unknown[0] !== undefined) throw unknownOption(unknown[0], options)
    const branch = given.branch?.at(-1)
    const thing: Pick<Subscription, 'kind' | 'name'> =
      branch === undefined
        ? { kind: 'builder', name: (await find.builder(words[0], usage)).name }
        : { kind: 'branch', name: branch }
    return { thing, by: given.by?.at(-1) ?? 'mail', more: branch === undefined ? words.slice(1) : words }
  }

  async function subscribe(call: Call): Promise<string> {
    const { thing, by, more } = await thingOf(call, SUBSCRIBE, ['branch', 'by'])
    if (by !== 'mail' && by !== 'irc') throw unknownName('way', by, ['mail', 'irc'])
    const wanted = [...new Set(more.map((word) => newsNamed(word, BUILD_NEWS)))]
    const events = wanted.length === 0 ? null : wanted
    await people.subscribe({ who: await speakerOf(call), ...thing, by, events })
    return `You are told of builds of ${said(thing)} ${told({ by, events })}.`
  }

  async function unsubscribe(call: Call): Promise<string> {
    const { thing, more } = await thingOf(call, UNSUBSCRIBE, ['branch'])
    if (more.length > 0) throw wrongUsage(UNSUBSCRIBE)
    await people.unsubscribe({ who: await speakerOf(call), ...thing })
    return `You are told no longer of builds of ${said(thing)}, unless they are of your own changes.`
  }

  function claimant({ asker: { who, via, proofs } }: Call): Claimant {
    if (proofs === undefined) throw notHere('iam', 'you are the user of the master')
    return { who, via, proofs }
  }

  async function iam(call: Call): Promise<string> {
    const [who, code] = call.words
    const by = claimant(call)
    if (who === undefined) {
      const names = await people.behind(by.proofs)
      return names.length === 0 ? 'I do not know who you are. Say "iam NAME".' : `You are ${names.join(', ')}.`
    }
    if (who === 'forget' && code === undefined) {
      const whose = await people.forget(by)
      return whose.length === 0 ? 'I knew nothing.' : `I have forgotten that you are ${whose.join(', ')}.`
    }
    if (code !== undefined) {
      await people.prove(by, who, call.words.slice(1).join(''))
      return `Welcome, ${who}. I know this account from now on; "iam forget" ends that.`
    }
    await people.claim(by, who)
    return `I have mailed a code to the address that is known of ${who}. Say "iam ${who} CODE" within 15 minutes.`
  }

  return [
    {
      name: 'subscribe',
      usage: 'BUILDER|--branch NAME [EVENT …] [--by mail|irc]',
      summary: `has you told of builds of a builder or a branch, by mail or in private on IRC; events: ${BUILD_NEWS.join(', ')}`,
      example: 'subscribe full success failure --by irc',
      run: subscribe,
    },
    {
      name: 'unsubscribe',
      usage: 'BUILDER|--branch NAME',
      summary: 'ends that',
      example: 'unsubscribe --branch main',
      run: unsubscribe,
    },
    {
      name: 'subscriptions',
      usage: '',
      summary: 'lists what you have subscribed to',
      example: 'subscriptions',
      async run(call) {
        const all = await people.subscriptions(await speakerOf(call))
        return all.length === 0
          ? 'You have subscribed to nothing.'
          : `You are told of ${all.map((one) => `${said(one)} ${told(one)}`).join(', ')}.`
      },
    },
    {
      name: 'iam',
      also: ['i am'],
      usage: '[NAME [CODE]|forget]',
      summary: 'links your account with the name your changes have; a code is mailed to you to prove it',
      example: 'iam jane',
      run: iam,
    },
    {
      name: 'sheriff',
      usage: '',
      summary: 'says who looks after the builds today',
      example: 'sheriff',
      run: () => {
        const { sheriff } = people.standing()
        return sheriff === null ? 'Nobody is sheriff today.' : `${sheriff} is the sheriff today.`
      },
    },
  ]
}

const BY: Readonly<Record<SubscribedBy, string>> = { mail: 'by mail', irc: 'in private on IRC' }
const told = ({ by, events }: Pick<Subscription, 'by' | 'events'>) =>
  events === null ? BY[by] : `${BY[by]} (${events.join(', ')})`
const said = ({ kind, name }: Pick<Subscription, 'kind' | 'name'>) => (kind === 'branch' ? `the branch ${name}` : name)
