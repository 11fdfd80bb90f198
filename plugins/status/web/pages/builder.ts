import { type Html, html } from '../html.ts'
import type { Page } from '../layout.ts'
import { forceForms } from '../parts/acts.ts'
import { badge } from '../parts/badge.ts'
import { buildTable } from '../parts/builds.ts'
import { readWaiting, waitingList } from '../parts/waiting.ts'
import { numberOf, type Visit } from '../site.ts'
import { lookOfBuilder, nowBuilding } from './home.ts'
import { missing } from './not-found.ts'

const PAGE = 25

/** One builder: what it does, what waits for it, what it built. `?before=` is the number of a build. */
export async function builderPage(visit: Visit): Promise<Page> {
  const { host, params, query, now } = visit
  const paths = visit.paths()
  const name = params.builder ?? ''
  const builder = await host.query.builder(name)
  if (!builder) return missing(visit, `There is no builder "${name}".`, await suggestions(visit, name))
  const before = numberOf(query.get('before'))
  const edge = before === undefined ? undefined : await host.query.buildByNumber(name, before)
  const [found, running, waiting, slaves, forms] = await Promise.all([
    host.query.builds({ builder: name, limit: PAGE + 1, ...(edge && { before: edge.id }) }),
    host.query.builds({ builder: name, running: true }),
    readWaiting(host.query, name, 50),
    host.query.slaves(),
    forceForms(visit, builder),
  ])
  const builds = found.slice(0, PAGE)
  const older = found.length > PAGE ? builds.at(-1) : undefined
  const bots = builder.slaves.map((slave) => {
    const here = slaves.find((one) => one.name === slave)
    return html`<li><a href="${paths.slave(slave)}">${slave}</a> <span class="faint">${here?.state ?? 'unknown'}</span></li>`
  })
  return {
    title: name,
    crumbs: [['Builders', paths.builders()]],
    topics: [`builder:${name}`, 'slaves'],
    main: html`<h1>${name} <span id="state" data-live>${badge(lookOfBuilder(builder), builder.lastResult ?? builder.state)}</span></h1>
<section id="running" data-live aria-label="Running">${running.map((build) => nowBuilding(build, visit))}</section>
<section id="waiting" data-live>${waiting.length > 0 && html`<h2>Waiting <span class="count">${builder.waiting}</span></h2>${waitingList(waiting, visit, false)}`}</section>
<div class="columns">
<section id="builds" data-live><h2>${edge ? `Builds before #${edge.number}` : 'Builds'}</h2>
${buildTable(builds, { paths, now, builder: false })}
${pager(edge && paths.builder(name), older && `${paths.builder(name)}?before=${older.number}`)}</section>
<div>
<section><h2>Ask for a build</h2>${forms}</section>
<section id="slaves" data-live><h2>Slaves</h2><ul class="plain">${bots}</ul></section>
</div></div>`,
  }
}

export function pager(newest: string | undefined, older: string | undefined): Html | null {
  if (newest === undefined && older === undefined) return null
  return html`<nav class="pager" aria-label="More">${newest !== undefined && html`<a href="${newest}">Newest</a>`} ${older !== undefined && html`<a href="${older}" rel="next">Older</a>`}</nav>`
}

async function suggestions(visit: Visit, name: string): Promise<Html | null> {
  const paths = visit.paths()
  const known = await visit.host.query.builders()
  const near = known.filter((builder) => builder.name.toLowerCase().includes(name.toLowerCase().slice(0, 3)))
  if (near.length === 0) return null
  return html`<p>Perhaps ${near.slice(0, 5).map((builder, i) => html`${i > 0 && ', '}<a href="${paths.builder(builder.name)}">${builder.name}</a>`)}?</p>`
}
