import { userInfo } from 'node:os'
import { CiError, formatDuration, messageOf } from 'boltbot/plugin-sdk'

export function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

/** Ends the process quietly once nobody reads what it prints: `boltbot builds | head`. */
export function endWithReader(): void {
  process.stdout.off('error', endsQuietly).on('error', endsQuietly)
}

/** The work goes on though nobody reads what is printed: a master does not end with the terminal that watched it. */
export function outliveReader(): void {
  process.stdout.off('error', endsQuietly).on('error', () => {})
}

function endsQuietly(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error
  process.exit()
}

export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2))
}

/** One sentence on stderr, with what to do behind it. */
export function printError(error: unknown): void {
  const hint = error instanceof CiError ? error.hint : undefined
  const separator = hint?.includes('\n') ? '\n' : ' '
  process.stderr.write(`boltbot: ${messageOf(error)}${hint === undefined ? '' : `${separator}${hint}`}\n`)
}

/** Columns as wide as their widest cell; the last one is as long as it likes. */
export function printTable(rows: readonly (readonly string[])[]): void {
  const widthOf = (column: number) => Math.max(...rows.map((row) => row[column]?.length ?? 0))
  const widths = (rows[0] ?? []).map((_, column) => widthOf(column))
  for (const row of rows) {
    const cells = row.map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i] ?? 0)))
    print(cells.join('  ').trimEnd())
  }
}

/** @example ago(Date.now() - 90_000) // '1m30s ago' */
export function ago(at: number | null): string {
  return at === null ? 'never' : `${formatDuration(Math.max(0, Date.now() - at))} ago`
}

/** What strangers typed, on one line and without what moves a terminal's cursor. */
export function oneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is replaced
  return text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ').trim()
}

/** The user of this machine who gives the command. */
export function whoAmI(): string {
  try {
    return userInfo().username
  } catch {
    return `uid ${process.getuid?.() ?? '?'}` // a user without a name, as in containers
  }
}
