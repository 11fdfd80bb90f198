import type { BuilderView, SchedulerView } from 'boltbot/plugin-sdk'
import { type Html, html } from '../html.ts'
import type { Visit } from '../site.ts'
import { formFields } from './form.ts'

/** A button that acts at once; nothing for those who may only look. */
export function actButton(visit: Visit, path: string, label: string): Html | null {
  if (visit.user === null) return null
  return html`<form class="act" method="post" action="${path}"><button>${label}</button></form>`
}

/** Asks for a build of a builder: by the forms of schedulers that build it, or plainly. */
export async function forceForms(visit: Visit, builder: BuilderView): Promise<Html> {
  const schedulers = visit.user === null ? [] : await visit.host.query.schedulers()
  const forms = schedulers.filter((one) => one.form !== undefined && one.builders?.includes(builder.name))
  const plain = forceForm(visit, builder)
  if (forms.length === 0) return plain
  return html`${forms.map((one) => html`<h3>${one.name}</h3>${schedulerForm(visit, one, [builder.name])}`)}
<details><summary>Without a form</summary>${plain}</details>`
}

/** The form of a scheduler, for some of its builders. */
export function schedulerForm(visit: Visit, scheduler: SchedulerView, builders: readonly string[]): Html | null {
  if (visit.user === null || scheduler.form === undefined) return null
  const chosen = builders.map((name) => html`<input type="hidden" name="builder" value="${name}">`)
  return html`<form class="force" method="post" action="${visit.paths().scheduler(scheduler.name)}/force">
${chosen}${formFields(scheduler.form, visit.user)}
<button class="main">Ask for ${builders.length === 1 ? 'a build' : 'builds'}</button>
</form>`
}

function forceForm(visit: Visit, builder: BuilderView): Html {
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
<label>Branch <input name="branch" placeholder="the default" autocomplete="off" spellcheck="false"></label>
<label>Revision <input name="revision" placeholder="the newest" autocomplete="off" spellcheck="false"></label></div>
<details><summary>Properties</summary>${[1, 2, 3, 4].map(property)}</details>
<button class="main">Ask for a build</button>
</form>`
}
