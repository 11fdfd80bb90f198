/** Markup. What goes into it by `${}` is escaped unless it is markup itself, so that nothing a stranger wrote becomes a tag. */
export class Html {
  readonly markup: string
  constructor(markup: string) {
    this.markup = markup
  }
}

export type Piece = Html | string | number | null | undefined | false | readonly Piece[]

/** @example html`<a href="${url}">${given}</a>` // attributes always stand in double quotes */
export function html(parts: TemplateStringsArray, ...pieces: readonly Piece[]): Html {
  return new Html(parts.reduce((all, part, i) => all + markupOf(pieces[i - 1]) + part))
}

export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
}

function markupOf(piece: Piece): string {
  if (piece === null || piece === undefined || piece === false) return ''
  if (piece instanceof Html) return piece.markup
  if (typeof piece === 'object') return piece.map(markupOf).join('')
  return escapeHtml(visible(String(piece)))
}

/** Characters that turn the direction of writing would show other text than there is. */
const visible = (text: string) => text.replace(/[\u202a-\u202e\u2066-\u2069]/g, '\ufffd')
