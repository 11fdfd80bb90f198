import type { Command } from './messages.ts'
import { count, either, fields, flag, isRecord, listOf, mapOf, maybe, orNull, type Shape, text } from './shape.ts'

/**
 * Says in one sentence what is wrong with a command, or nothing. Apart from the check of messages, as a command of a kind that this
 * agent does not know yet fails alone: the link stays.
 */
export function commandProblem(command: Command): string | undefined {
  const { kind } = command
  const shape = Object.hasOwn(SHAPES, kind) ? SHAPES[kind] : undefined
  if (shape === undefined) return `This slave does not know the command "${String(kind).slice(0, 40)}": it is too old.`
  const problem = shape(command)
  return problem === undefined ? undefined : `The command "${kind}" needs ${problem}.`
}

/** What the check of messages asks of a command. */
export const anyCommand: Shape = (value) =>
  isRecord(value) && typeof value.kind === 'string' ? undefined : 'a command with a kind'

const path: Shape = (value) =>
  typeof value === 'string' && value !== '' && value.length <= 4096 && !value.includes('\0') ? undefined : 'a path'
const word: Shape = (value) => (typeof value === 'string' && !value.includes('\0') ? undefined : 'text without NUL')
const words: Shape = (value) =>
  Array.isArray(value) && value.length > 0 && value[0] !== '' && value.every((item) => word(item) === undefined)
    ? undefined
    : 'a list of words'
const paths = fields({ paths: listOf(path, 100_000) })

const SHAPES: Readonly<Record<string, Shape>> = {
  shell: fields({
    command: either(word, words),
    workdir: maybe(path),
    env: maybe(mapOf(orNull(word), 10_000)),
    timeout: maybe(count),
    maxTime: maybe(count),
    sigtermTime: maybe(count),
    wantStdout: maybe(flag),
    wantStderr: maybe(flag),
    stdin: maybe(text(Number.POSITIVE_INFINITY)),
    secrets: maybe(listOf(text(Number.POSITIVE_INFINITY), 10_000)),
  }),
  mkdir: paths,
  rmdir: paths,
  rmfile: paths,
  cpdir: fields({ from: path, to: path }),
  stat: fields({ path }),
  glob: fields({ pattern: path }),
  upload: fields({ path, maxSize: maybe(count) }),
  download: fields({ path, mode: maybe(count), maxSize: maybe(count) }),
}
