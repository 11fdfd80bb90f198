import { createHash } from 'node:crypto'
import {
  type BuildFinished,
  type BuildsetFinished,
  type BuildView,
  type Host,
  type InterestingBuild,
  type Json,
  pastBuild,
} from 'boltbot/plugin-sdk'
import { parseAddress } from './address.ts'
import type { MailExtra } from './carrier.ts'
import { pageOf } from './facts.ts'
import type { Mailing } from './options.ts'
import { oneLine, wrap } from './plain-text.ts'
import { everybody, interestingOf, recipientsOf } from './recipients.ts'
import type { Standing } from './streaks.ts'

/** Builds whose mail waits for their buildset, newest last: a merged build belongs to several. */
const KEPT = 1000
const KEY = 'due builds'

type Due = readonly (readonly [build: number, standing: Standing])[]

/** Notes that a build would have had a mail of its own. */
export async function noteDue(host: Pick<Host, 'state'>, { build }: BuildFinished, standing: Standing): Promise<void> {
  const due = await readDue(host)
  if (due.some(([id]) => id === build)) return
  await host.state.set(KEY, [...due, [build, standing]].slice(-KEPT) as unknown as Json) // pairs of JSON
}

async function readDue(host: Pick<Host, 'state'>): Promise<Due> {
  return ((await host.state.get(KEY)) ?? []) as unknown as Due // only this file writes it
}

/** One mail about all builds of a buildset, when at least one of them is due. */
export async function tellBuildset(host: Host, options: Mailing, event: BuildsetFinished): Promise<void> {
  const builds = await buildsOf(host, event)
  const due = new Map(await readDue(host))
  if (!builds.some(({ id }) => due.has(id))) return
  const blamelist = [...new Set(builds.flatMap((build) => build.blamelist))]
  const recipients = await recipientsOf(host, options, await toldOf(host, builds))
  const { to, cc, why, told, untold } = recipients
  const all = everybody(recipients)
  if (all.length === 0) return
  const { name: project } = host.query.project()
  const { branch, revision } = event.sourceStamp
  const from = parseAddress(options.fromaddr)?.address ?? options.fromaddr // checked by the schema
  const key = `buildset:${event.eventId}`
  const digest = createHash('sha256')
    .update(JSON.stringify([host.id, project, key, event.at]))
    .digest('hex')
  const extra: MailExtra = {
    to,
    cc,
    messageId: `<boltbot.${event.eventId}.${digest.slice(0, 24)}@${from.slice(from.lastIndexOf('@') + 1)}>`,
    list: 'buildsets',
    why,
    headers: {
      'X-Boltbot-Buildset': `${event.buildset}`,
      'X-Boltbot-Branch': oneLine(branch ?? '', 300),
      'X-Boltbot-Result': event.result,
      'X-Boltbot-Event': `${event.eventId}`,
    },
  }
  const place = branch === null ? '' : ` (${branch})`
  const [count, have] = builds.length === 1 ? ['1 build', 'has'] : [`${builds.length} builds`, 'have']
  const subject = oneLine(`[${event.result}] ${project}${place}: ${count} of buildset ${event.buildset}`, 200)
  const at = revision === null ? '' : ` at ${revision}`
  const intro = `${count} of ${project}${place}${at} ${have} ended: ${event.result}.`
  const lines = builds.flatMap((build) => linesOf(host, build, due.get(build.id)))
  const people = blamelist.length === 0 ? [] : ['', ...wrap(`Blamelist: ${oneLine(blamelist.join(', '), 2000)}`)]
  const because = told.length === 0 ? [] : wrap(`Also told: ${oneLine(told.join(', '), 2000)}`)
  const missed = untold.length === 0 ? [] : wrap(`Not told: ${oneLine(untold.join(', '), 2000)}`)
  const text = [...wrap(oneLine(intro, 1000)), '', ...lines, ...people, ...because, ...missed, ''].join('\n')
  await host.notify({ key, to: all, subject, text, extra })
}

/** Those that have ended, as they were told. */
async function toldOf({ query }: Host, builds: readonly BuildView[]): Promise<readonly InterestingBuild[]> {
  const pasts = await Promise.all(builds.map((build) => pastBuild(query, build)))
  return pasts.flatMap((past) => (past === null ? [] : [interestingOf(past.event)]))
}

async function buildsOf({ query }: Host, { buildset }: BuildsetFinished): Promise<readonly BuildView[]> {
  const builds = new Map<number, BuildView>()
  for (const id of (await query.buildset(buildset))?.requests ?? []) {
    const request = await query.request(id)
    const build = request?.build == null ? undefined : await query.build(request.build)
    if (build !== undefined) builds.set(build.id, build)
  }
  return [...builds.values()]
}

function linesOf(host: Pick<Host, 'http'>, build: BuildView, standing: Standing | undefined): readonly string[] {
  const { builder, number, result, text } = build
  const note = standing === undefined || standing === result ? '' : ` (${standing})`
  const page = pageOf(host, builder, number)
  return [
    ...wrap(oneLine(`${builder} #${number}: ${result ?? 'running'}${note} ${text.join(' ')}`, 500), '  '),
    ...(page === null ? [] : [`    ${page}`]),
  ]
}
