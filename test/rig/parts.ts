import { type Change, definePlugin, defineStep, type Result } from 'boltbot/plugin-sdk'

/** A step that runs one command; exit 0 is success. */
export const sh = defineStep({
  name: 'sh',
  describe: (options: { readonly command: string }) => ({
    running: [`running ${options.command}`],
    done: [options.command],
  }),
  async run(context, options: { readonly command: string }) {
    const result = await context.run({ kind: 'shell', command: options.command })
    return { result: result.exitCode === 0 ? 'success' : 'failure' }
  },
})

/** A step that ends as it is told, without a slave. */
export const ends = defineStep({
  name: 'ends',
  async run(_context, options: { readonly result: Result }) {
    return { result: options.result }
  },
})

/** A scheduler that makes a buildset of each change of a branch, at once. */
export const each = definePlugin({
  name: 'rig/each',
  kind: 'scheduler',
  needs: ['schedulers'],
  id: (options: { readonly builders: readonly string[]; readonly branch?: string; readonly name?: string }) =>
    options.name ?? 'each',
  apply(host, options) {
    host.registerScheduler({
      name: host.id,
      builders: options.builders,
      initial: 0,
      wants: (change: Change) => options.branch === undefined || change.branch === options.branch,
      decide: (input, count: number) =>
        input.kind === 'change'
          ? { state: count + 1, buildsets: [{ reason: `change ${input.change.revision}`, changes: [input.change.id] }] }
          : { state: count },
    })
  },
})

export const commit = (revision: string, over: Partial<{ who: string; branch: string }> = {}) => ({
  who: 'jane',
  files: ['a.c'],
  comments: `commit ${revision}`,
  branch: 'main',
  repository: 'repo',
  revision,
  ...over,
})
