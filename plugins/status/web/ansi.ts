import { escapeHtml } from './html.ts'

/**
 * Turns a terminal's output into markup: colours and weight become classes, all other control sequences go. Keeps its state from
 * one piece to the next; give it whole lines. The classes are `c0`…`c15`, `b0`…`b15`, `bold`, `dim`, `italic`, `under`, `strike`;
 * a colour beyond the first 16 becomes the nearest of them.
 */
export interface Ansi {
  /** Markup of one line, without its end. */
  line(text: string): string
}

export function createAnsi(): Ansi {
  let style: Style = PLAIN
  return {
    line(text) {
      let markup = ''
      let at = 0
      const shown = lastWritten(text)
      const emit = (piece: string) => {
        // biome-ignore lint/suspicious/noControlCharactersInRegex: what is left of them is what is removed
        const clean = piece.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '')
        if (clean !== '') markup += wrap(style, clean)
      }
      for (const match of shown.matchAll(SEQUENCE)) {
        emit(shown.slice(at, match.index))
        at = match.index + match[0].length
        if (match[1] !== undefined) style = restyle(style, match[1])
      }
      emit(shown.slice(at))
      return markup
    },
  }
}

/** Control sequences (colour ones with their numbers), titles of windows, and two-character escapes. */
const SEQUENCE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what terminals are sent
  /\u001b\[([\d;:]*)m|\u001b\[[0-?]*[ -/]*[@-~]|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)|\u001b[@-Z\\-_]|\u001b/g

interface Style {
  readonly color: number | null
  readonly back: number | null
  readonly marks: ReadonlySet<Mark>
}
type Mark = 'bold' | 'dim' | 'italic' | 'under' | 'strike' | 'inverse'

const PLAIN: Style = { color: null, back: null, marks: new Set() }
const MARKS: Readonly<Record<number, Mark>> = {
  1: 'bold',
  2: 'dim',
  3: 'italic',
  4: 'under',
  7: 'inverse',
  9: 'strike',
}
const UNMARKS: Readonly<Record<number, readonly Mark[]>> = {
  22: ['bold', 'dim'],
  23: ['italic'],
  24: ['under'],
  27: ['inverse'],
  29: ['strike'],
}

/** Progress bars write a line over and over: what was written last is what a terminal shows. */
function lastWritten(text: string): string {
  const whole = text.replace(/\r+$/, '')
  return whole.slice(whole.lastIndexOf('\r') + 1)
}

function wrap({ color, back, marks }: Style, text: string): string {
  const [front, behind] = marks.has('inverse') ? [back ?? 'n', color ?? 'n'] : [color, back]
  const classes = [
    front === null ? null : `c${front}`,
    behind === null ? null : `b${behind}`,
    ...[...marks].filter((mark) => mark !== 'inverse'),
  ].filter((name) => name !== null)
  return classes.length === 0 ? escapeHtml(text) : `<span class="${classes.join(' ')}">${escapeHtml(text)}</span>`
}

function restyle(before: Style, numbers: string): Style {
  const codes = numbers.split(/[;:]/).map(Number)
  let { color, back } = before
  const marks = new Set(before.marks)
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i]!
    if (code === 0) {
      color = null
      back = null
      marks.clear()
    } else if (code in MARKS) marks.add(MARKS[code]!)
    else if (code in UNMARKS) for (const mark of UNMARKS[code]!) marks.delete(mark)
    else if (code === 38 || code === 48) {
      const [found, used] = longColor(codes.slice(i + 1))
      if (code === 38) color = found
      else back = found
      i += used
    } else if (code === 39) color = null
    else if (code === 49) back = null
    else {
      const [base, bright] = [Math.floor(code / 10) * 10, code % 10]
      if (bright > 7) continue
      if (base === 30 || base === 90) color = bright + (base === 90 ? 8 : 0)
      else if (base === 40 || base === 100) back = bright + (base === 100 ? 8 : 0)
    }
  }
  return { color, back, marks }
}

/** `5;n` or `2;r;g;b`: the nearest of the 16, and how many numbers that were. */
function longColor([kind, ...rest]: readonly number[]): readonly [number | null, number] {
  if (kind === 5) return [nearest256(rest[0] ?? 0), 2]
  if (kind === 2) return [nearest(rest[0] ?? 0, rest[1] ?? 0, rest[2] ?? 0), 4]
  return [null, 1]
}

function nearest256(index: number): number {
  if (index < 16) return index
  if (index >= 232) {
    const grey = (index - 232) * 10 + 8
    return nearest(grey, grey, grey)
  }
  const [r, g, b] = [Math.floor((index - 16) / 36), Math.floor((index - 16) / 6) % 6, (index - 16) % 6]
  const level = (step: number) => (step === 0 ? 0 : step * 40 + 55)
  return nearest(level(r), level(g), level(b))
}

function nearest(r: number, g: number, b: number): number {
  const most = Math.max(r, g, b)
  if (most < 40) return 0
  if (most - Math.min(r, g, b) < 40) return most > 200 ? 15 : most > 120 ? 7 : 8
  const bit = (value: number, place: number) => (value > most / 2 ? place : 0)
  return bit(r, 1) + bit(g, 2) + bit(b, 4) + (most > 200 ? 8 : 0)
}
