import { type Html, html } from './html.ts'
import type { Paths } from './paths.ts'

/** A page before its frame. */
export interface Page {
  readonly title: string
  readonly main: Html
  /** What stands above it: `[['Builders', '/builders']]`. */
  readonly crumbs?: readonly (readonly [name: string, path: string])[]
  /** Events that change it: see `live.ts`; empty: none does. */
  readonly topics?: readonly string[]
  readonly status?: number
  readonly scripts?: readonly string[]
}

export interface Frame {
  readonly paths: Paths
  readonly project: { readonly name: string; readonly url: string | null }
  /** Path of the page, below the base. */
  readonly here: string
  readonly user: string | null
  readonly canSignIn: boolean
  /** Assets by name, with what makes a new version a new address. */
  readonly assets: { readonly style: string; readonly script: string; readonly icon: string }
}

const NAV = [
  ['Overview', (paths: Paths) => paths.home()],
  ['Builders', (paths: Paths) => paths.builders()],
  ['Changes', (paths: Paths) => paths.changes()],
  ['Slaves', (paths: Paths) => paths.slaves()],
  ['Schedulers', (paths: Paths) => paths.schedulers()],
] as const

export function layout({ title, main, crumbs = [], topics = [] }: Page, frame: Frame): string {
  const { paths, project, here, user, canSignIn, assets } = frame
  const path = paths.to(here.slice(1))
  const links = NAV.map(([name, to]) => {
    const target = to(paths)
    const inside = target === paths.base ? path === target : path === target || path.startsWith(`${target}/`)
    return html`<li><a href="${target}"${inside && html` aria-current="page"`}>${name}</a></li>`
  })
  const person = user
    ? html`<span class="user">Signed in as <b>${user}</b></span>`
    : canSignIn &&
      html`<a class="user" href="${paths.to('login')}?to=${encodeURIComponent(here)}" rel="nofollow">Sign in</a>`
  const trail = crumbs.map(([name, to]) => html`<li><a href="${to}">${name}</a></li>`)
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title === project.name ? title : `${title} · ${project.name}`}</title>
<link rel="stylesheet" href="${assets.style}">
<link rel="icon" type="image/svg+xml" href="${assets.icon}">
<script src="${assets.script}" defer></script>
</head>
<body${topics.length > 0 && html` data-live-from="${paths.to('live')}?${topics.map((topic) => `topic=${encodeURIComponent(topic)}`).join('&')}"`}>
<a class="skip" href="#main">To the content</a>
<header class="top">
<a class="project" href="${paths.home()}">${project.name}</a>
<nav aria-label="Pages"><ul>${links}</ul></nav>
${person}
</header>
<main id="main" tabindex="-1">
${trail.length > 0 && html`<nav class="crumbs" aria-label="Above this page"><ol>${trail}</ol></nav>`}
${main}
</main>
<footer>
<span id="connection" role="status"></span>
${project.url !== null && /^https?:/.test(project.url) && html`<a href="${project.url}">${project.name}</a>`}
<span>Built by Boltbot</span> <a href="${paths.to('api/v1')}">API</a>
</footer>
</body>
</html>
`.markup
}
