import type { BuilderView } from 'boltbot/plugin-sdk'
import { type Html, html } from '../html.ts'
import type { Visit } from '../site.ts'

/** A button that acts at once; nothing for those who may only look. */
export function actButton(visit: Visit, path: string, label: string): Html | null {
  if (visit.user === null) return null
  return html`<form class="act" method="post" action="${path}"><button>${label}</button></form>`
}

/** Asks for a build of a builder. */
export function forceForm(visit: Visit, builder: BuilderView): Html {
  const paths = visit.paths()
  if (visit.user === null)
    return visit.canSignIn
      ? html`<p><a href="${paths.to('login')}?to=${encodeURIComponent(`/builders/${encodeURIComponent(builder.name)}`)}" rel="nofollow">Sign in</a> to ask for a build.</p>`
      : html`<p class="faint">Nobody can sign in here, so builds are asked for elsewhere: <code>boltbot force ${builder.name}</code></p>`
  const property = (i: number) => html`<div class="pair">
<input name="name${i}" aria-label="Name of property ${i}" placeholder="property" autocomplete="off" spellcheck="false">
<input name="value${i}" aria-label="Value of property ${i}" placeholder="value" autocomplete="off" spellcheck="false"></div>`
  return html`<form class="force" method="post" action="${paths.builder(builder.name)}/force">
<label>Reason <input name="reason" required maxlength="500" placeholder="why this build is wanted"></label>
<div class="pair">
<label>Branch <input name="branch" placeholder="the default branch" autocomplete="off" spellcheck="false"></label>
<label>Revision <input name="revision" placeholder="the newest" autocomplete="off" spellcheck="false"></label></div>
<details><summary>Properties</summary>${[1, 2, 3, 4].map(property)}</details>
<button class="main">Ask for a build</button>
</form>`
}
