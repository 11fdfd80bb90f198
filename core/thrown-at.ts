/**
 * The innermost place of an error's stack that is not Node's own, as a frame of the stack: a message alone (`oops`) helps nobody find the
 * slip. Without the mark that a config's files have when they are read again.
 */
export function thrownAt(error: unknown): string | undefined {
  const frames = framesOf(error)
  return shown(frames.find((line) => !line.includes('node:')) ?? frames[0])
}

/** The innermost place of an error of ours that is not our own code: where somebody else's called it. `undefined`: nobody did. */
export function calledAt(error: unknown): string | undefined {
  return shown(framesOf(error).find((line) => line.includes('file:') && !OWN.some((own) => line.includes(own))))
}

/** The stack of an error without frames of our own code: those of plugins and configs are left. */
export function foreignStack(error: unknown): string {
  return framesOf(error)
    .filter((line) => !OWN.some((own) => line.includes(own)))
    .join('\n')
}

const OWN = ['core/', 'plugin-sdk/', 'plugins/', 'node_modules/'].map(
  (part) => new URL(`../${part}`, import.meta.url).href,
)

function framesOf(error: unknown): readonly string[] {
  const stack = error instanceof Error ? (error.stack ?? '') : ''
  return stack.split('\n').filter((line) => /^ {4}at /.test(line))
}

const shown = (frame: string | undefined) => frame?.trim().replace(/\?gen=[\w-]+/, '')
