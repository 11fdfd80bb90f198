/**
 * Text of strangers (commit messages, names, branches) for one line of a terminal: control characters, which could move the
 * cursor, retitle the window or forge lines, become spaces; those that turn the writing direction go.
 */
export function plainText(text: string, maxLength = 200): string {
  const clean = text
    .slice(0, maxLength * 4)
    .replace(/\p{Cc}+/gu, ' ')
    .replace(/[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g, '')
    .trim()
  return clean.length > maxLength ? `${clean.slice(0, maxLength - 1)}…` : clean
}
