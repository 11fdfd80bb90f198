/**
 * How Node runs a master that is to be small: flags and environment of its process. A master waits for most of the time, so a
 * small young generation costs it nothing to speak of. One arena: each thread would otherwise keep freed memory of its own.
 */
export const LEAN = {
  flags: ['--max-semi-space-size=2'],
  environment: { MALLOC_ARENA_MAX: '1' },
} as const
