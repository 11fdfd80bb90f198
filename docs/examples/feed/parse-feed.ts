export interface Entry {
  readonly id: string
  readonly title: string
  readonly author: string
  readonly link: string
}

/** The entries of RSS or Atom, newest first as feeds have them; those without id or link are left out. */
export function parseFeed(xml: string): readonly Entry[] {
  return [...xml.matchAll(/<(item|entry)\b[^>]*>(.*?)<\/\1>/gs)]
    .map(([, , body = '']) => {
      const link = inner(body, 'link') || /<link\b[^>]*\bhref=["']([^"']*)["']/.exec(body)?.[1] || ''
      return {
        id: inner(body, 'guid') || inner(body, 'id') || link,
        title: inner(body, 'title'),
        author: inner(inner(body, 'author', false), 'name') || inner(body, 'author') || inner(body, 'dc:creator'),
        link,
      }
    })
    .filter(({ id }) => id !== '')
}

/** What is in the first element of a name. */
function inner(body: string, name: string, isText = true): string {
  const found = new RegExp(`<${name}\\b[^>]*>(.*?)</${name}>`, 's').exec(body)?.[1] ?? ''
  if (!isText) return found
  const text = found.replace(/<!\[CDATA\[(.*?)\]\]>/gs, '$1').replace(/<[^>]*>/g, '')
  return text.replace(/&(lt|gt|amp|quot|apos);/g, (_, sign: keyof typeof SIGNS) => SIGNS[sign]).trim()
}

const SIGNS = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }
