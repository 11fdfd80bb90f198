import type { LogItem } from '../../control/methods.ts'
import { callMaster } from '../control-client.ts'

/** The end of a log as it grows, for a screen. */
export interface LogPage {
  readonly title: string
  lines(rows: number): readonly string[]
}

const KEPT = 2000

/** Follows a log in the background; `changed` is called when there is more to show. */
export function openLogPage(basedir: string, build: string, step: string, changed: () => void): LogPage {
  let lines: string[] = ['']
  const add = (text: string) => {
    const [first = '', ...rest] = text.split('\n')
    lines[lines.length - 1] += first
    lines.push(...rest)
    if (lines.length > KEPT) lines = lines.slice(-KEPT)
    changed()
  }
  const decoder = new TextDecoder()
  callMaster(basedir, 'log', { build, step, log: 'stdio', follow: true }, (item) => {
    add(decoder.decode(Buffer.from((item as LogItem).data, 'base64'), { stream: true }))
  }).then(
    () => add('\n— the step has ended —'),
    (error: unknown) => add(`\n— ${error instanceof Error ? error.message : error} —`),
  )
  return {
    title: `${build} ${step}`,
    lines: (rows) => {
      const shown = lines.at(-1) === '' ? lines.slice(0, -1) : lines
      // Sequences of the command must not move our cursor.
      return shown.slice(-rows).map((line) => plain(line.replace(SEQUENCE, '')))
    },
  }
}

const plain = (line: string) =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what is left of them is what is removed
  line.replace(/\t/g, '    ').replace(/[\u0000-\u001f\u007f-\u009f]/g, '')

// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what terminals are sent
const SEQUENCE = /\u001b\[[0-?]*[ -/]*[@-~]|\u001b\][^\u0007]*\u0007/g
