import type { BuilderView, BuildView } from 'boltbot/plugin-sdk'
import { type Html, html } from '../html.ts'
import type { Page } from '../layout.ts'
import { badge, type Look, strip } from '../parts/badge.ts'
import { buildTable, changeList, progress, whatOf } from '../parts/builds.ts'
import { readWaiting, waitingList } from '../parts/waiting.ts'
import { amount, when } from '../parts/when.ts'
import type { Paths } from '../paths.ts'
import type { Visit } from '../site.ts'

/** All builders at a glance, what waits, and what happened last. */
export async function homePage(visit: Visit): Promise<Page> {
  const { host, now } = visit
  const paths = visit.paths()
  const [builders, slaves, builds, changes] = await Promise.all([
    host.query.builders(),
    host.query.slaves(),
    host.query.builds({ limit: 12 }),
    host.query.changes({ limit: 6 }),
  ])
  const waits = builders.some((builder) => builder.waiting > 0)
  const waiting = waits ? await readWaiting(host.query, undefined, 12) : []
  const groups = Map.groupBy(builders, (builder) => builder.category ?? '')
  const cards = await Promise.all(
    [...groups].map(async ([category, group]) => {
      const items = await Promise.all(group.map((builder) => card(builder, visit)))
      return html`${category !== '' && html`<h2 class="category">${category}</h2>`}<ul class="cards">${items}</ul>`
    }),
  )
  const total = builders.reduce((sum, builder) => sum + builder.waiting, 0)
  return {
    title: host.query.project().name,
    topics: ['builders', 'slaves', 'changes', 'requests'],
    main: html`<h1 class="unseen">${host.query.project().name}</h1>
<p id="summary" class="summary" data-live role="status">${summary(builders, slaves, paths)}</p>
<section id="cards" data-live aria-label="Builders">${cards}</section>
<section id="waiting" data-live aria-label="Waiting">${waiting.length > 0 && html`<h2>Waiting <span class="count">${total}</span></h2>${waitingList(waiting, visit)}${total > waiting.length && html`<p class="faint">${total - waiting.length} more; the pages of the builders list them.</p>`}`}</section>
<div class="columns">
<section id="builds" data-live><h2>Last builds</h2>${buildTable(builds, { paths, now, slave: false })}</section>
<section id="changes" data-live><h2>Last changes</h2>${changes.length === 0 ? html`<p class="faint">There are none yet.</p>` : changeList(changes, paths, now)}</section>
</div>`,
  }
}

/** `2 of 4 builders are red: full, docs. 1 build runs, 2 requests wait. 3 of 4 slaves are here.` */
function summary(builders: readonly BuilderView[], slaves: readonly { readonly state: string }[], paths: Paths): Html {
  const building = builders.reduce((sum, builder) => sum + builder.building.length, 0)
  const waiting = builders.reduce((sum, builder) => sum + builder.waiting, 0)
  const here = slaves.filter(({ state }) => state !== 'detached').length
  const doing = [
    building > 0 && `${amount(building, 'build')} ${building === 1 ? 'runs' : 'run'}`,
    waiting > 0 && `${amount(waiting, 'request')} ${waiting === 1 ? 'waits' : 'wait'}`,
  ].filter((text) => text !== false)
  const away =
    here < slaves.length ? ` ${here} of ${amount(slaves.length, 'slave')} ${here === 1 ? 'is' : 'are'} here.` : ''
  return html`${verdict(builders, paths)} ${doing.length > 0 && `${doing.join(', ')}.`}${away}`
}

/** Names the red ones: on a small screen their cards may be far down. */
function verdict(builders: readonly BuilderView[], paths: Paths): Html {
  const red = builders.filter(({ lastResult }) => lastResult === 'failure' || lastResult === 'exception')
  if (builders.length === 0) return html`<b>There are no builders.</b>`
  if (builders.every(({ lastResult }) => lastResult === null)) return html`<b>Nothing has been built yet.</b>`
  if (red.length === 0) return html`<b class="good">No builder is red.</b>`
  const links = red
    .slice(0, NAMED)
    .map(({ name }, i) => html`${i > 0 && ', '}<a href="${paths.builder(name)}">${name}</a>`)
  const more = red.length > NAMED && ` and ${red.length - NAMED} more`
  return html`<b class="bad">${red.length} of ${amount(builders.length, 'builder')} ${red.length === 1 ? 'is' : 'are'} red:</b> ${links}${more}.`
}

/** How many red builders are named. */
const NAMED = 5

async function card(builder: BuilderView, visit: Visit): Promise<Html> {
  const { recent, now } = visit
  const paths = visit.paths()
  const builds = await recent.of(builder.name)
  const running = builds.filter((build) => build.finishedAt === null)
  const last = builds.find((build) => build.finishedAt !== null)
  return html`<li class="card ${lookOfBuilder(builder)}${running.length > 0 && ' at-work'}">
<h3><a href="${paths.builder(builder.name)}">${builder.name}</a></h3>
<p class="verdict">${last ? html`${badge(last.result ?? 'none')} <a href="${paths.build(builder.name, last.number)}">#${last.number}</a> <span class="faint">${when(last.finishedAt, now)}</span>` : badge('none', 'not built yet')}</p>
${last?.result !== 'success' && last && html`<p class="what">${whatOf(last)}</p>`}
${running.map((build) => nowBuilding(build, visit))}
${builder.waiting > 0 && html`<p class="faint">${amount(builder.waiting, 'request')} ${builder.waiting === 1 ? 'waits' : 'wait'}</p>`}
${builder.state === 'offline' && html`<p class="faint">no slave is here</p>`}
${builds.length > 0 && strip(builds, paths)}
</li>`
}

export function nowBuilding(build: BuildView, visit: Visit): Html {
  const path = visit.paths().build(build.builder, build.number)
  return html`<p class="now">${badge('running', 'building')} <a href="${path}">#${build.number}</a> ${whatOf(build)} ${progress(build, visit.now)}</p>`
}

export const lookOfBuilder = (builder: BuilderView): Look =>
  builder.lastResult ?? (builder.state === 'offline' ? 'offline' : 'none')
