import type { Query, RequestView } from 'boltbot/plugin-sdk'
import { type Html, html } from '../html.ts'
import type { Visit } from '../site.ts'
import { actButton } from './acts.ts'
import { when } from './when.ts'

export interface Waiting {
  readonly request: RequestView
  readonly why: string
}

/** Requests that wait, in queue order, each with its reason. */
export async function readWaiting(
  query: Query,
  builder: string | undefined,
  limit: number,
): Promise<readonly Waiting[]> {
  const requests = await query.requests({ limit, ...(builder !== undefined && { builder }) })
  const waiting = requests.filter((request) => request.state === 'waiting')
  return Promise.all(
    waiting.map(async (request) => ({ request, why: (await query.why(request.id))?.text ?? 'it is about to start' })),
  )
}

export function waitingList(items: readonly Waiting[], visit: Visit, builder = true): Html {
  const { now } = visit
  const paths = visit.paths()
  const rows = items.map(
    ({ request, why }) => html`<li>
<span><a href="${paths.request(request.id)}">Request ${request.id}</a>${builder && html` for <a href="${paths.builder(request.builder)}">${request.builder}</a>`}</span>
<span class="faint">since ${when(request.submittedAt, now)}${request.priority !== 0 && `, priority ${request.priority}`}</span>
<span class="why">${why}</span>
${actButton(visit, paths.to(`requests/${request.id}/cancel`), 'Cancel')}</li>`,
  )
  return html`<ul class="plain waiting-list">${rows}</ul>`
}
