import { html } from '../html.ts'
import type { Page } from '../layout.ts'
import { when } from '../parts/when.ts'
import type { Visit } from '../site.ts'

/** Schedulers and what they wait for. */
export async function schedulersPage({ host, now }: Visit): Promise<Page> {
  const schedulers = await host.query.schedulers()
  const rows = schedulers.map(
    ({ name, waiting, wakeAt }) => html`<tr><th scope="row">${name}</th>
<td class="wide">${waiting ?? html`<span class="faint">waits for nothing</span>`}</td>
<td class="number">${wakeAt === null ? '' : when(wakeAt, now)}</td></tr>`,
  )
  return {
    title: 'Schedulers',
    topics: ['schedulers'],
    main: html`<h1>Schedulers</h1><section id="schedulers" data-live class="scroll">${
      rows.length === 0
        ? html`<p class="faint">The config has none: builds are asked for by people and plugins.</p>`
        : html`<table><thead><tr><th scope="col">Scheduler</th><th scope="col">Waits for</th><th scope="col" class="number">Looks again</th></tr></thead><tbody>${rows}</tbody></table>`
    }</section>`,
  }
}
