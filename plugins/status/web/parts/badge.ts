import type { BuildView, Result } from 'boltbot/plugin-sdk'
import { type Html, html } from '../html.ts'
import type { Paths } from '../paths.ts'

export type Look = Result | 'running' | 'waiting' | 'offline' | 'none'

/** Told by form and word as well as by colour. */
const SIGNS: Readonly<Record<Look, string>> = {
  success: '✓',
  warnings: '!',
  failure: '✕',
  exception: '⁇',
  retry: '↻',
  cancelled: '⊘',
  skipped: '–',
  running: '●',
  waiting: '…',
  offline: '○',
  none: '·',
}

export function badge(look: Look, text: string = look): Html {
  return html`<span class="badge ${look}"><span class="sign" aria-hidden="true">${SIGNS[look]}</span> ${text}</span>`
}

export const lookOf = ({ result }: { readonly result: Result | null }): Look => result ?? 'running'

/** Small boxes, the newest last: how a builder fared. */
export function strip(builds: readonly BuildView[], paths: Paths): Html {
  if (builds.length === 0) return html`<p class="strip faint">not built yet</p>`
  const boxes = builds.toReversed().map((build) => {
    const look = lookOf(build)
    const title = `#${build.number} ${look === 'running' ? 'runs' : look}`
    return html`<li><a class="box ${look}" href="${paths.build(build.builder, build.number)}" title="${title}"><span class="sign" aria-hidden="true">${SIGNS[look]}</span><span class="unseen">${title}</span></a></li>`
  })
  return html`<ol class="strip" aria-label="last builds, the newest last">${boxes}</ol>`
}
