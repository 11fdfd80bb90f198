import { html } from '../html.ts'
import type { Page } from '../layout.ts'
import { actButton } from '../parts/acts.ts'
import { badge, lookOf } from '../parts/badge.ts'
import { whatOf } from '../parts/builds.ts'
import { when } from '../parts/when.ts'
import { numberOf, type Visit } from '../site.ts'
import { missing } from './not-found.ts'

/** One request: why it waits, or what became of it. */
export async function requestPage(visit: Visit): Promise<Page> {
  const { host, params, now } = visit
  const paths = visit.paths()
  const id = numberOf(params.request)
  const request = id === undefined ? undefined : await host.query.request(id)
  if (!request) return missing(visit, `There is no request ${params.request}.`)
  const [buildset, build, why] = await Promise.all([
    host.query.buildset(request.buildset),
    request.build === null ? undefined : host.query.build(request.build),
    host.query.why(request.id),
  ])
  const state =
    request.state === 'waiting'
      ? html`${badge('waiting', 'waits')}: <b>${why?.text ?? 'it is about to start'}</b>`
      : build
        ? html`${badge(lookOf(build), build.finishedAt === null ? 'building' : undefined)} <a href="${paths.build(build.builder, build.number)}">${build.builder} #${build.number}</a> ${whatOf(build)}`
        : badge(request.result ?? 'none')
  return {
    title: `Request ${request.id}`,
    crumbs: [
      ['Builders', paths.builders()],
      [request.builder, paths.builder(request.builder)],
    ],
    topics: ['requests', `builder:${request.builder}`],
    main: html`<h1>Request ${request.id} for ${request.builder}</h1>
<p id="state" data-live role="status" class="lead">${state}</p>
<div id="acts" data-live class="acts">${request.state === 'waiting' && actButton(visit, `${paths.request(request.id)}/cancel`, 'Cancel this request')}</div>
<section id="facts" data-live><dl>
${buildset && html`<dt>Reason</dt><dd>${buildset.reason}</dd>`}
${buildset?.owner && html`<dt>Asked for by</dt><dd>${buildset.owner}</dd>`}
${buildset?.scheduler && html`<dt>Scheduler</dt><dd>${buildset.scheduler}</dd>`}
<dt>Asked for</dt><dd>${when(request.submittedAt, now)}</dd>
<dt>Priority</dt><dd>${request.priority}</dd>
${request.tries > 1 && html`<dt>Tries</dt><dd>${request.tries}</dd>`}
</dl></section>`,
  }
}
