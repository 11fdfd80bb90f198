import type { ReadStream, WriteStream } from 'node:tty'

/** The whole terminal, taken for a while and given back as it was. */
export interface Screen extends Disposable {
  readonly columns: number
  readonly rows: number
  /** Puts lines on it; only those that differ are written. */
  show(lines: readonly string[]): void
  /** Everything is written anew at the next `show`. */
  forget(): void
}

export function takeScreen(
  input: ReadStream,
  output: WriteStream,
  onKeys: (text: string) => void,
  onResize: () => void,
): Screen {
  let shown: readonly string[] = []
  const keys = (data: Buffer | string) => onKeys(`${data}`)
  const resized = () => {
    shown = []
    output.write('\u001b[2J')
    onResize()
  }
  output.write('\u001b[?1049h\u001b[?25l\u001b[2J') // another screen, no cursor, empty
  input.setRawMode(true)
  input.setEncoding('utf8')
  input.on('data', keys)
  input.resume()
  output.on('resize', resized)
  return {
    get columns() {
      return output.columns || 80
    },
    get rows() {
      return output.rows || 24
    },
    show(lines) {
      const changes = lines.flatMap((line, i) =>
        line === shown[i] ? [] : [`\u001b[${i + 1};1H\u001b[0m\u001b[2K${line}`],
      )
      if (changes.length > 0) output.write(changes.join(''))
      shown = lines
    },
    forget() {
      shown = []
    },
    [Symbol.dispose]() {
      input.off('data', keys)
      output.off('resize', resized)
      input.setRawMode(false)
      input.pause()
      output.write('\u001b[0m\u001b[?25h\u001b[?1049l')
    },
  }
}
