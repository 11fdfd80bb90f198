import type { Painter } from './painter.ts'
import { plainText } from './plain-text.ts'

/** Where the story goes: `process.stdout`, or anything alike. */
export interface ConsoleStream {
  write(text: string): unknown
  readonly isTTY?: boolean | undefined
}

/** Prints lines of the story, and on a terminal one line below them that changes in place. */
export interface Printer {
  /** `12:00:43 change    …` */
  line(at: number, word: string, text: string): void
  /** Shown below the last line until it is replaced; `null`: none. Only on a terminal. */
  footer(text: string | null): void
}

export function createPrinter(stream: ConsoleStream, painter: Painter, isTerminal: boolean): Printer {
  let shown = ''
  const footer = (text: string | null) => {
    const next = text === null ? '' : plainText(text, 78)
    if (!isTerminal || next === shown) return
    stream.write(CLEAR_LINE + (next === '' ? '' : painter.faint(next)))
    shown = next
  }
  return {
    line(at, word, text) {
      const [before, below] = shown === '' ? ['', ''] : [CLEAR_LINE, painter.faint(shown)]
      stream.write(`${before}${painter.faint(clockTime(at))} ${painter.faint(word.padEnd(9))} ${text}\n${below}`)
    },
    footer,
  }
}

const CLEAR_LINE = '\r\x1b[K'

/** `12:00:43` where the master is. */
function clockTime(ms: number): string {
  return new Date(ms).toTimeString().slice(0, 8)
}
