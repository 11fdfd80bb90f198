/** Something that cannot be done, said in one sentence for people. */
export class Problem extends Error {
  override readonly name = 'Problem'
}

/** What went wrong, in the system's words and without its codes: `no space left on device`. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error instanceof Problem) return error.message
  const { code, syscall } = error as NodeJS.ErrnoException
  if (code === undefined || syscall === undefined) return error.message
  // "ENOSPC: no space left on device, write": what stands between.
  return error.message.replace(/^[A-Z0-9]+: /, '').replace(new RegExp(`, ${syscall}\\b.*$`, 's'), '')
}
