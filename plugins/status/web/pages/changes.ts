import { html } from '../html.ts'
import type { Page } from '../layout.ts'
import { buildTable, firstLine, shortRevision, who } from '../parts/builds.ts'
import { amount, when } from '../parts/when.ts'
import { numberOf, type Visit } from '../site.ts'
import { pager } from './builder.ts'
import { missing } from './not-found.ts'

const PAGE = 40

/** Changes, the newest first. `?before=` is the id of one. */
export async function changesPage(visit: Visit): Promise<Page> {
  const { host, query, now } = visit
  const paths = visit.paths()
  const before = numberOf(query.get('before'))
  const found = await host.query.changes({ limit: PAGE + 1, ...(before !== undefined && { before }) })
  const changes = found.slice(0, PAGE)
  const older = found.length > PAGE ? `${paths.changes()}?before=${changes.at(-1)!.id}` : undefined
  const rows = changes.map(
    (change) => html`<tr>
<td class="wide"><a href="${paths.change(change.id)}">${firstLine(change.comments)}</a></td>
<td>${who(change.who)}</td>
<td class="optional">${change.branch ?? ''}</td>
<td class="optional">${change.revision !== null && html`<code title="${change.revision}">${shortRevision(change.revision)}</code>`}</td>
<td class="number optional">${amount(change.files.length, 'file')}</td>
<td class="number">${when(change.when, now)}</td></tr>`,
  )
  return {
    title: 'Changes',
    topics: before === undefined ? ['changes'] : [],
    main: html`<h1>Changes</h1><section id="changes" data-live>${
      rows.length === 0
        ? html`<p class="faint">None has come yet.</p>`
        : html`<div class="scroll"><table><thead><tr><th scope="col">Comment</th><th scope="col">Who</th><th scope="col" class="optional">Branch</th><th scope="col" class="optional">Revision</th><th scope="col" class="number optional">Files</th><th scope="col" class="number">When</th></tr></thead><tbody>${rows}</tbody></table></div>`
    }${pager(before === undefined ? undefined : paths.changes(), older)}</section>`,
  }
}

/** One change and the builds it is in. */
export async function changePage(visit: Visit): Promise<Page> {
  const { host, params, now } = visit
  const paths = visit.paths()
  const id = numberOf(params.change)
  const change = id === undefined ? undefined : await host.query.change(id)
  if (!change) return missing(visit, `There is no change ${params.change}.`)
  const builds = await host.query.builds({ change: change.id, limit: 100 })
  const links = [change.revlink, ...change.links].filter((link) => link !== null && /^https?:\/\//.test(link))
  const facts = [
    ['Who', who(change.who)],
    ['Branch', change.branch],
    ['Repository', change.repository],
    ['Project', change.project],
    ['Codebase', change.codebase],
    ['Category', change.category],
  ] as const
  return {
    title: `Change ${change.id}`,
    crumbs: [['Changes', paths.changes()]],
    topics: ['changes', 'builders'],
    main: html`<h1>${firstLine(change.comments)}</h1>
<p class="lead">${who(change.who)}, ${when(change.when, now)}${change.revision !== null && html`, <code>${change.revision}</code>`}</p>
${change.comments.trim() !== firstLine(change.comments) && html`<pre class="comment">${change.comments}</pre>`}
<div class="columns">
<section id="builds" data-live><h2>Builds with it</h2>${builds.length === 0 ? html`<p class="faint">None has started yet.</p>` : buildTable(builds, { paths, now })}
<h2>${amount(change.files.length, 'file')}</h2><ul class="plain files">${change.files.slice(0, 500).map((file) => html`<li>${file}</li>`)}</ul>${change.files.length > 500 && html`<p class="faint">and ${change.files.length - 500} more</p>`}</section>
<section><h2>Facts</h2><dl>${facts.filter(([, value]) => value).map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}<dt>Came by</dt><dd>${change.source}</dd></dl>
${links.length > 0 && html`<h2>Links</h2><ul class="plain">${links.map((link) => html`<li><a href="${link}" rel="noreferrer">${link}</a></li>`)}</ul>`}</section>
</div>`,
  }
}
