import type { SlaveView } from 'boltbot/plugin-sdk'
import { type Html, html } from '../html.ts'
import type { Page } from '../layout.ts'
import { badge, type Look } from '../parts/badge.ts'
import { buildTable, who } from '../parts/builds.ts'
import { when } from '../parts/when.ts'
import { numberOf, type Visit } from '../site.ts'
import { pager } from './builder.ts'
import { missing } from './not-found.ts'

const PAGE = 25

export async function slavesPage(visit: Visit): Promise<Page> {
  const { host, now } = visit
  const paths = visit.paths()
  const slaves = await host.query.slaves()
  const rows = slaves.map(
    (slave) => html`<tr>
<th scope="row"><a href="${paths.slave(slave.name)}">${slave.name}</a></th>
<td>${stateOf(slave)}</td>
<td class="number">${slave.builds}${slave.maxBuilds !== null && ` of ${slave.maxBuilds}`}</td>
<td class="optional">${slave.builders.map((builder, i) => html`${i > 0 && ', '}<a href="${paths.builder(builder)}">${builder}</a>`)}</td>
<td class="optional">${slave.admin === null ? '' : who(slave.admin)}</td>
<td class="number">${when(slave.lastHeard, now)}</td></tr>`,
  )
  return {
    title: 'Slaves',
    topics: ['slaves'],
    main: html`<h1>Slaves</h1><section id="slaves" data-live class="scroll"><table>
<thead><tr><th scope="col">Slave</th><th scope="col">State</th><th scope="col" class="number">Builds</th><th scope="col" class="optional">Builders</th><th scope="col" class="optional">Admin</th><th scope="col" class="number">Last heard</th></tr></thead>
<tbody>${rows}</tbody></table></section>`,
  }
}

/** One slave and what it built. `?before=` is the id of a build. */
export async function slavePage(visit: Visit): Promise<Page> {
  const { host, params, query, now } = visit
  const paths = visit.paths()
  const name = params.slave ?? ''
  const slave = (await host.query.slaves()).find((one) => one.name === name)
  if (!slave) return missing(visit, `There is no slave "${name}".`)
  const before = numberOf(query.get('before'))
  const found = await host.query.builds({ slave: name, limit: PAGE + 1, ...(before !== undefined && { before }) })
  const builds = found.slice(0, PAGE)
  const older = found.length > PAGE ? `${paths.slave(name)}?before=${builds.at(-1)!.id}` : undefined
  return {
    title: name,
    crumbs: [['Slaves', paths.slaves()]],
    topics: ['slaves'],
    main: html`<h1>${name} <span id="state" data-live>${stateOf(slave)}</span></h1>
<section id="facts" data-live><dl>
<dt>Builders</dt><dd>${slave.builders.map((builder, i) => html`${i > 0 && ', '}<a href="${paths.builder(builder)}">${builder}</a>`)}</dd>
<dt>Builds now</dt><dd>${slave.builds}${slave.maxBuilds === null ? '' : `, at most ${slave.maxBuilds}`}</dd>
<dt>Last heard</dt><dd>${when(slave.lastHeard, now)}</dd>
${slave.connectedAt !== null && html`<dt>Connected</dt><dd>${when(slave.connectedAt, now)}</dd>`}
${slave.paused && html`<dt>Paused</dt><dd>by ${slave.paused.by} ${when(slave.paused.at, now)}: ${slave.paused.reason}</dd>`}
${slave.away && html`<dt>Away</dt><dd>until ${when(slave.away.until, now)}, says ${slave.away.by}: ${slave.away.reason}</dd>`}
${slave.admin !== null && html`<dt>Admin</dt><dd>${who(slave.admin)}</dd>`}
${slave.host !== null && html`<dt>Host</dt><dd class="lines">${slave.host}</dd>`}
${slave.version !== null && html`<dt>Version</dt><dd>${slave.version}</dd>`}
</dl></section>
<section id="builds" data-live><h2>Builds</h2>${buildTable(builds, { paths, now, slave: false })}
${pager(before === undefined ? undefined : paths.slave(name), older)}</section>`,
  }
}

function stateOf({ state, missing: gone, paused, away, leaving }: SlaveView): Html {
  if (gone) return badge('failure', 'missing')
  if (away && state === 'detached') return badge('skipped', 'away')
  if (state === 'detached') return badge('offline', 'not here')
  if (leaving) return badge('cancelled', 'leaving')
  if (paused) return badge('cancelled', 'paused')
  const looks: Readonly<Record<string, Look>> = { idle: 'success', building: 'running' }
  return badge(looks[state] ?? 'waiting', state)
}
