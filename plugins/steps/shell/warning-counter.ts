import type { Stream } from 'boltbot/plugin-sdk'

/** Finds warnings in output as it comes, whatever pieces it comes in. Holds a bounded part of it. */
export interface WarningCounter {
  observe(stream: Stream, data: Uint8Array): void
  /** Looks at what is left of unfinished lines. */
  finish(): Warnings
}

export interface Warnings {
  readonly count: number
  /** The first of them. */
  readonly lines: readonly string[]
}

/** So much of a line is looked at: a warning says so near its beginning. */
const LINE_BYTES = 8192
const KEPT_CHARS = 1 << 20
const NEWLINE = 0x0a

export function createWarningCounter(isWarning: (line: string) => boolean): WarningCounter {
  // stdout and stderr interleave: each has its own unfinished line.
  const unfinished = { stdout: createLine(), stderr: createLine() }
  const lines: string[] = []
  let count = 0
  let kept = 0

  const lookAt = (line: string) => {
    if (!isWarning(line)) return
    count++
    if (kept + line.length > KEPT_CHARS) return
    kept += line.length
    lines.push(line)
  }

  return {
    observe(stream, data) {
      if (stream === 'header') return
      const line = unfinished[stream]
      for (let from = 0; from < data.length; ) {
        const end = data.indexOf(NEWLINE, from)
        line.add(data.subarray(from, end === -1 ? data.length : end))
        if (end === -1) break
        lookAt(line.take())
        from = end + 1
      }
    },
    finish() {
      for (const line of Object.values(unfinished)) if (line.length > 0) lookAt(line.take())
      return { count, lines }
    },
  }
}

/** Whether a line is a warning, by a pattern of the config. */
export function warningTest(pattern: string | RegExp): (line: string) => boolean {
  const source = typeof pattern === 'string' ? pattern : pattern.source
  const flags = typeof pattern === 'string' ? '' : pattern.flags.replace(/[gy]/g, '') // those would remember a position
  // A leading `.*` changes nothing in a search, but makes it take the square of the line's length.
  const search = new RegExp(source.replace(/^(?:\.\*\??)+/, '') || '(?:)', flags)
  return (line) => search.test(line)
}

function createLine() {
  let parts: Uint8Array[] = []
  let length = 0
  return {
    get length() {
      return length
    },
    add(data: Uint8Array) {
      if (length >= LINE_BYTES || data.length === 0) return
      const part = data.slice(0, LINE_BYTES - length) // a copy: the buffer is not ours to keep
      parts.push(part)
      length += part.length
    },
    take(): string {
      const text = new TextDecoder().decode(parts.length === 1 ? parts[0] : Buffer.concat(parts))
      parts = []
      length = 0
      return text.replace(/\r$/, '')
    },
  }
}
