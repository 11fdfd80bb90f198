import { html } from '../html.ts'
import type { Page } from '../layout.ts'
import { badge, strip } from '../parts/badge.ts'
import { when } from '../parts/when.ts'
import type { Visit } from '../site.ts'
import { lookOfBuilder, nowBuilding } from './home.ts'

/** All builders, a row each. */
export async function buildersPage(visit: Visit): Promise<Page> {
  const { host, recent, now } = visit
  const paths = visit.paths()
  const builders = await host.query.builders()
  const rows = await Promise.all(
    builders.map(async (builder) => {
      const builds = await recent.of(builder.name)
      const running = builds.filter((build) => build.finishedAt === null)
      const last = builds.find((build) => build.finishedAt !== null)
      return html`<tr>
<th scope="row" class="name"><a href="${paths.builder(builder.name)}">${builder.name}</a>${builder.category !== null && html` <span class="faint">${builder.category}</span>`}</th>
<td class="look">${badge(lookOfBuilder(builder), builder.lastResult ?? (builder.state === 'offline' ? 'offline' : 'not built yet'))}</td>
<td class="wide">${running.length > 0 ? running.map((build) => nowBuilding(build, visit)) : builder.state}</td>
<td class="optional">${builds.length > 0 && strip(builds, paths)}</td>
<td class="number optional">${builder.waiting > 0 ? builder.waiting : ''}</td>
<td class="number">${last && when(last.finishedAt, now)}</td>
</tr>`
    }),
  )
  return {
    title: 'Builders',
    topics: ['builders', 'requests', 'slaves'],
    main: html`<h1>Builders</h1>
<section id="builders" data-live class="scroll">${
      rows.length === 0
        ? html`<p class="faint">The config has none.</p>`
        : html`<table class="stack"><thead><tr><th scope="col">Builder</th><th scope="col">Last result</th><th scope="col">Now</th><th scope="col" class="optional">Last builds</th><th scope="col" class="number optional">Waiting</th><th scope="col" class="number">Last built</th></tr></thead><tbody>${rows}</tbody></table>`
    }</section>`,
  }
}
