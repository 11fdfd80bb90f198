/**
 * Cuts a text into pieces of at most `bytes` bytes of UTF-8: between words where it can, never inside of a character that people see as
 * one (a letter with its accents, a flag).
 * @example splitText('one two three', 7) // ['one two', 'three']
 */
export function splitText(text: string, bytes: number): string[] {
  const pieces: string[] = []
  let piece = ''
  let size = 0
  const end = () => {
    if (piece.trim() !== '') pieces.push(piece.trim())
    piece = ''
    size = 0
  }
  const add = (part: string) => {
    const more = Buffer.byteLength(part)
    if (size + more > bytes) end()
    piece += part
    size += more
  }
  for (const word of text.split(/(?<=\s)(?=\S)/)) {
    const wordBytes = Buffer.byteLength(word.trimEnd())
    if (wordBytes <= bytes) {
      if (size + wordBytes > bytes) end()
      piece += word
      size += Buffer.byteLength(word)
      continue
    }
    // A word that fits nowhere: character by character, and a character that fits nowhere by code points.
    for (const { segment } of GRAPHEMES.segment(word))
      if (Buffer.byteLength(segment) <= bytes) add(segment)
      else for (const point of segment) add(point)
  }
  end()
  return pieces
}

const GRAPHEMES = new Intl.Segmenter('en', { granularity: 'grapheme' })
