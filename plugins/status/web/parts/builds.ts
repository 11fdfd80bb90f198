import type { BuildView, Change, SourceStamp } from 'boltbot/plugin-sdk'
import { type Html, html } from '../html.ts'
import type { Paths } from '../paths.ts'
import { badge, lookOf } from './badge.ts'
import { ago, lasted, when } from './when.ts'

export interface TableOptions {
  readonly paths: Paths
  readonly now: number
  /** Left out on the page of one builder. */
  readonly builder?: boolean
  readonly slave?: boolean
}

/** Builds, a row each. */
export function buildTable(builds: readonly BuildView[], options: TableOptions): Html {
  const { paths, now, builder = true, slave = true } = options
  if (builds.length === 0) return html`<p class="faint">There are none yet.</p>`
  const rows = builds.map((build) => {
    const name = builder ? `${build.builder} #${build.number}` : `#${build.number}`
    return html`<tr>
<td class="${builder ? 'name' : 'name kept'}"><a href="${paths.build(build.builder, build.number)}">${name}</a></td>
<td class="look">${badge(lookOf(build))}</td>
<td class="wide">${whatOf(build)}</td>
<td class="optional kept">${source(build.sourceStamp)}</td>
${slave && html`<td class="optional kept"><a href="${paths.slave(build.slave)}">${build.slave}</a></td>`}
<td class="number optional">${lasted(build.startedAt, build.finishedAt, now)}</td>
<td class="number">${when(build.finishedAt ?? build.startedAt, now)}</td>
</tr>`
  })
  return html`<div class="scroll"><table class="stack">
<thead><tr><th scope="col">Build</th><th scope="col">Result</th><th scope="col">What</th><th scope="col" class="optional">Source</th>${slave && html`<th scope="col" class="optional">Slave</th>`}<th scope="col" class="number optional">Took</th><th scope="col" class="number">When</th></tr></thead>
<tbody>${rows}</tbody></table></div>`
}

/** What it does now, or what came of it. */
export function whatOf(build: BuildView): string {
  if (build.finishedAt !== null) return build.text.join(' ') || '—'
  return build.steps.findLast((step) => step.finishedAt === null)?.text ?? 'starts'
}

/** `main 0123456789ab`. */
export function source({ branch, revision, patch }: SourceStamp): Html {
  const words = [branch ?? 'default branch', patch ? '+ patch' : null].filter((word) => word !== null)
  return html`${words.join(' ')}${revision !== null && html` <code title="${revision}">${shortRevision(revision)}</code>`}`
}

/** Twelve characters of a hash; other revisions as they are. */
export function shortRevision(revision: string): string {
  return /^[0-9a-f]{40,64}$/.test(revision) ? revision.slice(0, 12) : revision
}

/** How far a running build is, as far as that is known. */
export function progress({ startedAt, eta }: BuildView, now: number): Html | null {
  if (eta === undefined) return null
  const share = Math.min(0.99, Math.max(0, (now - startedAt) / Math.max(1, eta.at - startedAt)))
  const left = eta.at > now ? `done ${ago(now - eta.at)}` : 'takes longer than usual'
  return html`<progress max="100" value="${Math.round(share * 100)}" aria-label="progress"></progress> <span class="faint">${left}</span>`
}

/** Changes, an item each. */
export function changeList(changes: readonly Change[], paths: Paths, now: number): Html {
  if (changes.length === 0) return html`<p class="faint">None: it was asked for without a change.</p>`
  const items = changes.map(
    (change) => html`<li><a href="${paths.change(change.id)}">${firstLine(change.comments)}</a>
<span class="faint">${who(change.who)}, ${when(change.when, now)}${change.revision !== null && html`, <code title="${change.revision}">${shortRevision(change.revision)}</code>`}</span></li>`,
  )
  return html`<ul class="plain changes">${items}</ul>`
}

export const firstLine = (text: string) => text.trim().split('\n', 1)[0] || '(no comment)'

/** A person without the mail address: pages are read by everybody. */
export const who = (text: string) => text.replace(/\s*<[^>]*>\s*$/, '') || text
