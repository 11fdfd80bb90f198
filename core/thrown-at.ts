/**
 * The innermost place of an error's stack that is not Node's own, as a frame of the stack: a message alone (`oops`) helps nobody find the
 * slip. Without the mark that a config's files have when they are read again.
 */
export function thrownAt(error: unknown): string | undefined {
  const stack = error instanceof Error ? (error.stack ?? '') : ''
  const frames = stack.split('\n').filter((line) => /^ {4}at /.test(line))
  const frame = frames.find((line) => !line.includes('node:')) ?? frames[0]
  return frame?.trim().replace(/\?gen=[\w-]+/, '')
}
