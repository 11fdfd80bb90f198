import { BUILD_NEWS, type BuildNews } from 'boltbot/plugin-sdk'
import type { Command } from 'commander'
import type { PeopleDesk, PersonView } from '../../people/desk.ts'
import type { Subscription } from '../../store/subscriptions.ts'
import { callMaster } from '../control-client.ts'
import { badArgument, oneOfTwo } from '../errors.ts'
import { type LiveOptions, listCommand, liveCommand } from '../live-command.ts'
import { ago, oneLine, print, printJson, printTable, whoAmI } from '../output.ts'

/** `people`, `subscribe`, `unsubscribe`, `subscriptions`: who is who, and who wants to be told of what. */

export function peopleCommand(): Command {
  return listCommand('people', 'say how a person is reached, and how the lookup of people does', 'people jane')
    .argument('[who]', 'as changes name them: jane, or "Jane Doe <jane@example.org>"')
    .action(async (who: string | undefined, { basedir, json }: LiveOptions) => {
      const person = who === undefined ? null : await callMaster<PersonView>(basedir, 'person', { who })
      // Behind the person: asking for one may show that the lookup fails.
      const standing = await callMaster<ReturnType<PeopleDesk['standing']>>(basedir, 'people', {})
      if (standing.trouble !== null || (person?.problem ?? null) !== null) process.exitCode = 1
      if (json) return printJson({ ...standing, ...(person && { person }) })
      const { trouble, sheriff } = standing
      if (trouble === null) print('People are looked up without trouble.')
      else
        print(
          `The lookup fails (${trouble.failures} in a row, the first ${ago(trouble.since)}): ${oneLine(trouble.error)}`,
        )
      if (sheriff !== null) print(`Sheriff today: ${oneLine(sheriff)}`)
      if (person !== null) printTable(rowsOf(person))
    })
}

function rowsOf({ who, mail, irc, roles, proved, subscriptions, problem }: PersonView): readonly (readonly string[])[] {
  const told = subscriptions.map(
    ({ kind, name, by, events }) => `${kind} ${name} by ${by}${events === null ? '' : ` (${events.join(', ')})`}`,
  )
  const rows: readonly (readonly [string, string])[] = [
    ['person', who],
    ['mail', mail ?? (problem === null ? 'none is known' : 'not known at present')],
    ['irc', irc.join(', ') || 'not known'],
    ['proved', proved.map(({ identity, provedAt }) => `${identity} (${ago(provedAt)})`).join(', ') || 'nothing'],
    ['roles', roles.join(', ') || 'none'],
    ['told of', told.join(', ') || 'what concerns their changes'],
    ...(problem === null ? [] : [['problem', problem] as const]),
  ]
  return rows.map((row) => row.map(oneLine))
}

interface ThingOptions extends LiveOptions {
  readonly branch?: string
  readonly who: string
  readonly by: string
  readonly events?: string
}

export function subscribeCommand(): Command {
  return about('subscribe', 'have a person told of all builds of a builder or a branch', 'subscribe full --who jane')
    .option('--by <way>', 'mail, or irc: in private there', 'mail')
    .option('--events <list>', `only these, with commas between: ${BUILD_NEWS.join(', ')}`)
    .action(async (builder: string | undefined, options: ThingOptions) => {
      const { basedir, who, by } = options
      if (by !== 'mail' && by !== 'irc') throw badArgument('way', by, 'mail or irc')
      const thing = thingOf(builder, options)
      const events = options.events === undefined ? null : options.events.split(',').map(eventNamed)
      await callMaster(basedir, 'subscribe', { who, ...thing, by, events })
      print(
        `"${who}" is told of builds of ${thing.kind === 'branch' ? 'the branch ' : ''}"${thing.name}" by ${by}${events === null ? '' : `: ${events.join(', ')}`}.`,
      )
    })
}

export function unsubscribeCommand(): Command {
  return about('unsubscribe', 'end a subscription of a person', 'unsubscribe --branch main --who jane').action(
    async (builder: string | undefined, options: ThingOptions) => {
      const { basedir, who } = options
      const thing = thingOf(builder, options)
      await callMaster(basedir, 'unsubscribe', { who, ...thing })
      print(`"${who}" is told no longer of builds of "${thing.name}", unless they are of their own changes.`)
    },
  )
}

export function subscriptionsCommand(): Command {
  return listCommand('subscriptions', 'list who wants to be told of what', 'subscriptions --who jane')
    .option('--who <person>', 'of one person')
    .action(async ({ basedir, json, who }: LiveOptions & { readonly who?: string }) => {
      const asked = who === undefined ? {} : { who }
      const all = await callMaster<readonly Subscription[]>(basedir, 'subscriptions', asked)
      if (json) return printJson(all)
      if (all.length === 0) print('Nobody has subscribed to anything.')
      printTable(
        all.map(({ who, kind, name, by, events }) => [who, kind, name, by, events?.join(', ') ?? ''].map(oneLine)),
      )
    })
}

function eventNamed(word: string): BuildNews {
  const found = BUILD_NEWS.find((one) => one.toLowerCase() === word.trim().toLowerCase())
  if (found === undefined) throw badArgument('event', word, `one of ${BUILD_NEWS.join(', ')}`)
  return found
}

const about = (name: string, description: string, example: string) =>
  liveCommand(name, description, example)
    .argument('[builder]', 'its name; or give --branch')
    .option('--branch <name>', 'a branch, of any builder')
    .option('--who <person>', 'as changes name them', whoAmI())

function thingOf(builder: string | undefined, { branch }: ThingOptions): Pick<Subscription, 'kind' | 'name'> {
  if (builder !== undefined && branch === undefined) return { kind: 'builder', name: builder }
  if (builder === undefined && branch !== undefined) return { kind: 'branch', name: branch }
  throw oneOfTwo('a builder', 'a branch with --branch', '"boltbot builders" lists the builders.')
}
