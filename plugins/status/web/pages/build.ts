import type { BuildView, Host, StepView } from 'boltbot/plugin-sdk'
import { createAnsi } from '../ansi.ts'
import { Html, html } from '../html.ts'
import type { Page } from '../layout.ts'
import { actButton } from '../parts/acts.ts'
import { badge, lookOf } from '../parts/badge.ts'
import { changeList, progress, source, who } from '../parts/builds.ts'
import { lasted, when } from '../parts/when.ts'
import { numberOf, type Visit } from '../site.ts'
import { missing } from './not-found.ts'

/** The build that a path names; `undefined` when there is none, or no longer. */
export async function buildOf({ host, params }: { readonly host: Host; readonly params: Visit['params'] }) {
  const number = numberOf(params.number)
  return number === undefined ? undefined : host.query.buildByNumber(params.builder ?? '', number)
}

/** One build: its steps with their logs, what it built, for whom. */
export async function buildPage(visit: Visit): Promise<Page> {
  const { now, params } = visit
  const paths = visit.paths()
  const build = await buildOf(visit)
  if (!build) return missing(visit, `There is no build #${params.number} of "${params.builder}".`)
  const { builder, number, sourceStamp, steps } = build
  const path = paths.build(builder, number)
  const running = build.finishedAt === null
  const items = await Promise.all(steps.map((step) => stepItem(build, step, visit)))
  return {
    title: `${builder} #${number}`,
    crumbs: [
      ['Builders', paths.builders()],
      [builder, paths.builder(builder)],
    ],
    topics: running ? [`build:${build.id}`] : [],
    main: html`<h1>${builder} #${number} <span id="result" data-live>${badge(lookOf(build), running ? 'building' : undefined)}</span></h1>
${await neighbours(build, visit)}
<p id="state" data-live class="lead">${build.text.length > 0 && html`<b>${upper(build.text.join(' '))}.</b> `}${upper(build.reason)}. On <a href="${paths.slave(build.slave)}">${build.slave}</a>, started ${when(build.startedAt, now)}, ${running ? html`runs for ${lasted(build.startedAt, null, now)}. ${progress(build, now)}` : `took ${lasted(build.startedAt, build.finishedAt, now)}.`}</p>
<div id="acts" data-live class="acts">${running ? actButton(visit, `${path}/stop`, 'Stop this build') : actButton(visit, `${path}/rebuild`, 'Build the same again')}</div>
<section id="steps" data-live><h2>Steps</h2>${items.length === 0 ? html`<p class="faint">None has started.</p>` : html`<ol class="steps">${items}</ol>`}</section>
<div class="columns">
<section><h2>Source</h2><dl>
<dt>Built</dt><dd>${source(sourceStamp)}</dd>
${got(build) !== null && html`<dt>Checked out</dt><dd><code>${got(build)}</code></dd>`}
${sourceStamp.repository !== '' && html`<dt>Repository</dt><dd>${sourceStamp.repository}</dd>`}
${sourceStamp.project !== '' && html`<dt>Project</dt><dd>${sourceStamp.project}</dd>`}
</dl>
${sourceStamp.patch && html`<details><summary>Patch (level ${sourceStamp.patch.level})</summary><pre>${sourceStamp.patch.body}</pre></details>`}
<h2>Changes</h2>${changeList(build.changes, paths, now)}
${build.blamelist.length > 0 && html`<h2>Blamelist</h2><p>${build.blamelist.map(who).join(', ')}</p>`}
</section>
<section><details id="properties" data-live><summary><h2>Properties</h2></summary>${properties(build)}</details>
<h2>Requests</h2><ul class="plain">${build.requests.map((id) => html`<li><a href="${paths.request(id)}">Request ${id}</a></li>`)}</ul></section>
</div>`,
  }
}

/** The builds of the builder before and after it. */
async function neighbours({ builder, number }: BuildView, { host, paths }: Visit): Promise<Html | null> {
  const [before, after] = await Promise.all([
    number > 0 ? host.query.buildByNumber(builder, number - 1) : undefined,
    host.query.buildByNumber(builder, number + 1),
  ])
  if (!before && !after) return null
  const to = (rel: 'prev' | 'next', name: string, at: number) =>
    html`<a rel="${rel}" href="${paths().build(builder, at)}">${name} #${at}</a>`
  return html`<nav class="beside" aria-label="Builds of ${builder}">${before && to('prev', 'Before:', number - 1)} ${after && to('next', 'After:', number + 1)}</nav>`
}

const upper = (text: string) => text.charAt(0).toUpperCase() + text.slice(1)

async function stepItem(build: BuildView, step: StepView, visit: Visit): Promise<Html> {
  const paths = visit.paths()
  // A running step has told its logs only at its end; each has this one.
  const logs = step.finishedAt === null ? ['stdio'] : step.logs
  const links = logs.map(
    (log) => html` <a href="${paths.log(build.builder, build.number, step.number, log)}">${log}</a>`,
  )
  const look = lookOf(step)
  const isBad = look === 'failure' || look === 'exception'
  return html`<li class="step ${look}">
<span class="name">${badge(look, step.name)}</span> <span class="what">${step.text !== step.name && step.text}</span>
<span class="logs">${links}</span> <span class="number">${lasted(step.startedAt, step.finishedAt, visit.now)}</span>
${isBad && logs.length > 0 && (await lastLines(build, step, logs[0]!, visit))}</li>`
}

/** What a failing step said last: most often it is why. */
async function lastLines(build: BuildView, step: StepView, log: string, { host }: Visit): Promise<Html | null> {
  const text = await host.query.logTail({ build: build.id, step: step.number, log }, 12)
  if (text.trim() === '') return null
  const ansi = createAnsi()
  const lines = text
    .replace(/\n$/, '')
    .split('\n')
    .map((line) => ansi.line(line.slice(0, 2000)))
  return html`<pre class="tail" tabindex="0" aria-label="last lines of ${log}">${new Html(lines.join('\n'))}</pre>`
}

function properties({ properties: entries }: BuildView): Html {
  const rows = Object.entries(entries)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { value, source: from }]) => {
      const text = typeof value === 'string' ? value : JSON.stringify(value)
      return html`<tr><th scope="row">${name}</th><td><code>${text}</code></td><td class="faint">${from}</td></tr>`
    })
  return html`<div class="scroll"><table><thead><tr><th scope="col">Name</th><th scope="col">Value</th><th scope="col">From</th></tr></thead><tbody>${rows}</tbody></table></div>`
}

const got = ({ properties: { got_revision: revision } }: BuildView) =>
  revision === undefined || revision.value === null ? null : String(revision.value)
