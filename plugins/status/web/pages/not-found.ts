import { type Html, html } from '../html.ts'
import type { Page } from '../layout.ts'
import type { Visit } from '../site.ts'

/** The one page for what is not there. */
export function missing(visit: Visit, text: string, more: Html | null = null): Page {
  const paths = visit.paths()
  return {
    status: 404,
    title: 'Not here',
    main: html`<h1>Not here</h1>
<p>${text}</p>${more}
<p>It may have been removed, as old builds are after a while. <a href="${paths.home()}">To the overview</a></p>`,
  }
}
