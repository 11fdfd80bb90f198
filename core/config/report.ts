import { originOf } from 'boltbot/plugin-sdk'
import type { KeyPath, Positions } from './positions.ts'
import type { Problem } from './problem.ts'

/** A thing of the config that problems are told about: its name for people and where it was made. */
export interface Subject {
  /** `builder "full"`. */
  readonly label: string
  readonly stack: string | undefined
  /** Where in the factory call's arguments the paths begin: `[0]` for `slave({…})`. */
  readonly base: KeyPath
}

/** Notes one problem. `path` begins at the subject's options. */
export type Report = (subject: Subject, path: KeyPath, message: string) => void

export interface Reporter {
  readonly report: Report
  readonly problems: Problem[]
  /** `master.cfg.ts:12:3` of a subject: for messages that point at a second place. */
  placeOf(subject: Subject, path: KeyPath): string
}

/** Gathers problems; never throws. */
export function createReporter(positions: Positions): Reporter {
  const problems: Problem[] = []
  const locate = (subject: Subject, path: KeyPath) => positions.locate(subject.stack, [...subject.base, ...path])
  return {
    problems,
    report(subject, path, message) {
      const shown = subject.base.length === 0 ? path.slice(1) : path // an argument's number says nothing to people
      const where = shown.length === 0 ? subject.label : `${subject.label} ${formatPath(shown)}`
      problems.push({ ...locate(subject, path), path: where, message })
    },
    placeOf(subject, path) {
      const { file, line, column } = locate(subject, path)
      return `${file.replace(/^.*[\\/]/, '')}:${line}:${column}`
    },
  }
}

/** The subject of a thing that a factory of the SDK made; `otherwise` when it was made by hand. */
export function subjectOf(label: string, thing: unknown, base: KeyPath, otherwise: Subject): Subject {
  const stack = originOf(thing)
  return stack === undefined ? { ...otherwise, label } : { label, stack, base }
}

/** @example formatPath(['slaves', 1]) // 'slaves[1]' */
export function formatPath(path: KeyPath): string {
  return path
    .map((key, i) => {
      if (typeof key === 'number') return `[${key}]`
      if (!/^[\w$]+$/.test(key)) return `[${JSON.stringify(key)}]`
      return i === 0 ? key : `.${key}`
    })
    .join('')
}
