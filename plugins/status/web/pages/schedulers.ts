import { html } from '../html.ts'
import type { Page } from '../layout.ts'
import { schedulerForm } from '../parts/acts.ts'
import { when } from '../parts/when.ts'
import type { Visit } from '../site.ts'
import { missing } from './not-found.ts'

/** Schedulers and what they wait for. */
export async function schedulersPage(visit: Visit): Promise<Page> {
  const { host, now } = visit
  const paths = visit.paths()
  const schedulers = await host.query.schedulers()
  const rows = schedulers.map(
    ({
      name,
      waiting,
      wakeAt,
      builders = [],
      form,
    }) => html`<tr><th scope="row" class="name"><a href="${paths.scheduler(name)}">${name}</a></th>
<td class="wide">${waiting ?? html`<span class="faint">${form ? 'waits for people' : 'idle'}</span>`}</td>
<td class="optional">${builderLinks(builders, visit)}</td>
<td class="number">${wakeAt === null ? '' : when(wakeAt, now)}</td></tr>`,
  )
  return {
    title: 'Schedulers',
    topics: ['schedulers'],
    main: html`<h1>Schedulers</h1><section id="schedulers" data-live class="scroll">${
      rows.length === 0
        ? html`<p class="faint">The config has none: builds are asked for by people and plugins.</p>`
        : html`<table><thead><tr><th scope="col">Scheduler</th><th scope="col">Waits for</th><th scope="col" class="optional">Builds</th><th scope="col" class="number">Looks again</th></tr></thead><tbody>${rows}</tbody></table>`
    }</section>`,
  }
}

/** One scheduler, with its form if it has one. */
export async function schedulerPage(visit: Visit): Promise<Page> {
  const { host, params, now, user, canSignIn } = visit
  const paths = visit.paths()
  const scheduler = (await host.query.schedulers()).find(({ name }) => name === params.scheduler)
  if (!scheduler) return missing(visit, `There is no scheduler "${params.scheduler}".`)
  const { name, waiting, wakeAt, builders = [], form } = scheduler
  return {
    title: name,
    crumbs: [['Schedulers', paths.schedulers()]],
    topics: ['schedulers'],
    main: html`<h1>${name}</h1>
<section id="facts" data-live><dl>
<dt>Builds</dt><dd>${builderLinks(builders, visit)}</dd>
<dt>Waits for</dt><dd>${waiting ?? 'nothing'}</dd>
${wakeAt !== null && html`<dt>Looks again</dt><dd>${when(wakeAt, now)}</dd>`}
</dl></section>
${form && user === null && canSignIn && html`<p><a href="${paths.to('login')}?to=${encodeURIComponent(`/schedulers/${encodeURIComponent(name)}`)}" rel="nofollow">Sign in</a> to have it build.</p>`}
${form && user !== null && html`<section class="narrow"><h2>Have it build</h2>${schedulerForm(visit, scheduler, builders)}</section>`}`,
  }
}

const builderLinks = (builders: readonly string[], visit: Visit) =>
  builders.map((name, i) => html`${i > 0 && ', '}<a href="${visit.paths().builder(name)}">${name}</a>`)
