import type { LogPart, LogPlace, Query } from 'boltbot/plugin-sdk'
import { type Ansi, createAnsi } from './ansi.ts'
import { Html, html } from './html.ts'

/** Turns parts of a log into lines of markup, in order. Holds at most one unfinished line. */
export interface LogLines {
  /** The lines that these bytes finish. */
  feed(pieces: LogPart['pieces']): readonly Html[]
  /** The unfinished line at the end, if there is one. */
  end(): readonly Html[]
  /** The number of the line that comes next, from 1. */
  readonly next: number
}

/** Longer lines are cut; the raw log has all of it. */
const LINE_BYTES = 16 * 1024

export function createLogLines(first = 1): LogLines {
  const ansi = createAnsi()
  let next = first
  /** The unfinished line, by streams. */
  let open: { readonly stream: string; readonly data: Uint8Array }[] = []
  let length = 0

  const keep = (stream: string, data: Uint8Array) => {
    const room = Math.max(0, LINE_BYTES - length)
    length += data.length
    if (room > 0 && data.length > 0) open.push({ stream, data: data.subarray(0, room) })
  }
  const close = (): Html => {
    const markup = lineMarkup(open, ansi, length > LINE_BYTES)
    const line = html`<div class="line" id="L${next}"><a href="#L${next}" data-n="${next}" aria-label="line ${next}"></a><span>${markup}</span></div>\n`
    next++
    open = []
    length = 0
    return line
  }

  return {
    get next() {
      return next
    },
    feed(pieces) {
      const lines: Html[] = []
      for (const { stream, data } of pieces) {
        let at = 0
        for (let cut = data.indexOf(NEWLINE); cut !== -1; cut = data.indexOf(NEWLINE, at)) {
          keep(stream, data.subarray(at, cut))
          lines.push(close())
          at = cut + 1
        }
        keep(stream, data.subarray(at))
      }
      return lines
    },
    end: () => (length === 0 ? [] : [close()]),
  }
}

const NEWLINE = 10

function lineMarkup(
  parts: readonly { readonly stream: string; readonly data: Uint8Array }[],
  ansi: Ansi,
  isCut: boolean,
): Html {
  const decoder = new TextDecoder()
  const pieces = parts.map(({ stream, data }) => {
    const markup = ansi.line(decoder.decode(data))
    return stream === 'stdout' ? markup : `<span class="${stream}">${markup}</span>`
  })
  return new Html(`${pieces.join('')}${isCut ? '<span class="faint"> … cut, the raw log has the rest</span>' : ''}`)
}

export interface LogWindow {
  readonly lines: readonly Html[]
  /** The number of the first line shown, from 1. */
  readonly first: number
  /** The number of the line after the last one shown. */
  readonly next: number
}

/** Lines `first`… of a log, at most `count` and a bounded number of bytes, whatever the size of the log. */
export async function readWindow(query: Query, place: LogPlace, first: number, count: number): Promise<LogWindow> {
  const reader = createLogLines(first)
  const lines: Html[] = []
  let from = await query.logLine(place, first - 1)
  for (let budget = WINDOW_BYTES; budget > 0 && lines.length < count; ) {
    const part = await query.readLog(place, from, from + Math.min(budget, READ_BYTES))
    if (part.next === from) {
      lines.push(...reader.end()) // the end of the log
      break
    }
    budget -= part.next - from
    from = part.next
    lines.push(...reader.feed(part.pieces))
  }
  const shown = lines.slice(0, count)
  return { lines: shown, first, next: first + shown.length }
}

const READ_BYTES = 256 * 1024
const WINDOW_BYTES = 4 * 1024 * 1024
