/** Words of strangers for one line of a header or text: without line ends and control characters, not too long. */
export function oneLine(text: string, maxLength: number): string {
  const clean = text
    .replace(/[\p{Cc}\u2028\u2029]+/gu, ' ')
    .replace(BIDI, '')
    .trim()
  return clean.length > maxLength ? `${clean.slice(0, maxLength - 1)}…` : clean
}

/** Output of a program as lines of text: no colours, no other control characters but tabs as spaces. */
export function logLines(text: string): readonly string[] {
  return text
    .replace(ESCAPES, '')
    .replace(BIDI, '')
    .replace(/\t/g, '    ')
    .split('\n')
    .map((line) => (line.split('\r').findLast((part) => part !== '') ?? '').replace(/\p{Cc}/gu, ''))
}

/** Breaks at words, and inside of words that are too long; `indent` begins each line. */
export function wrap(text: string, indent = '', width = 78): readonly string[] {
  const room = width - indent.length
  const lines: string[] = []
  let line = ''
  for (const word of text.split(/\s+/).filter(Boolean)) {
    if (line !== '' && line.length + 1 + word.length <= room) {
      line += ` ${word}`
      continue
    }
    if (line !== '') lines.push(line)
    line = word
    while (line.length > room) {
      lines.push(line.slice(0, room))
      line = line.slice(room)
    }
  }
  if (line !== '') lines.push(line)
  return lines.map((text) => indent + text)
}

/** Breaks a line wherever it is too long, and keeps its spaces. */
export function fold(line: string, indent = '', width = 78): readonly string[] {
  const room = width - indent.length
  const parts: string[] = []
  for (let at = 0; at === 0 || at < line.length; at += room) parts.push((indent + line.slice(at, at + room)).trimEnd())
  return parts
}

/** Characters that turn the writing direction: a line would read as another. */
const BIDI = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed
const ESCAPES = /\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])/g
