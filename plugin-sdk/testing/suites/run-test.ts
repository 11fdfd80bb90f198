/**
 * How a suite registers its tests: the `test` of `node:test`, of vitest, or of any other runner that takes a name and an async function.
 * Called at once, a few times; nothing is awaited.
 */
export type RunTest = (name: string, run: () => Promise<void>) => unknown
