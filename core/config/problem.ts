/** One mistake in a config, with the place to look at. */
export interface Problem {
  /** Absolute path of the source file. */
  readonly file: string
  /** From 1, as editors count. */
  readonly line: number
  readonly column: number
  /** Which value, in words a reader of the file knows: `builder "full" slaves[1]`. */
  readonly path: string
  /** What is wrong, what is known instead, what to do. */
  readonly message: string
}

/** One line each, in the order of the file: `master.cfg.ts:12:3: builder "full" slaves[1]: …`. */
export function formatProblems(problems: readonly Problem[], relativeTo = ''): string {
  return problems.map((problem) => `${place(problem, relativeTo)}: ${problem.path}: ${problem.message}`).join('\n')
}

/** `problems` in reading order, the same sentence about the same place once. */
export function sortProblems(problems: readonly Problem[]): readonly Problem[] {
  const seen = new Map(problems.map((problem) => [JSON.stringify(problem), problem]))
  return [...seen.values()].sort((a, b) => compare(a.file, b.file) || a.line - b.line || a.column - b.column)
}

function place({ file, line, column }: Problem, folder: string): string {
  const name = folder !== '' && file.startsWith(`${folder}/`) ? file.slice(folder.length + 1) : file
  return `${name}:${line}:${column}`
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)
