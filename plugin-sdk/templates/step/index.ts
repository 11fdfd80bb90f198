import { defineStep } from 'boltbot/plugin-sdk'

export interface MyPluginOptions {
  /** Which files; default: all TypeScript files. */
  readonly pattern?: string
  /** More than so many are a warning; default: no limit. */
  readonly atMost?: number
}

/** Counts files on the slave and keeps the number as the property `files`. */
export const myPlugin = defineStep({
  name: 'my-plugin',
  flags: { warnOnWarnings: true },
  describe: ({ pattern = '**/*.ts' }: MyPluginOptions) => ({ running: ['counting', pattern], done: ['count'] }),
  async run(context, { pattern = '**/*.ts', atMost = Number.POSITIVE_INFINITY }) {
    const found = await context.run({ kind: 'glob', pattern })
    if (found.cause !== 'exit' || !Array.isArray(found.data)) return { result: 'failure', detail: [found.error ?? ''] }
    const count = found.data.length
    context.setProperty('files', count)
    await context.write('stdio', 'stdout', `${count} files fit "${pattern}".\n`)
    return { result: count > atMost ? 'warnings' : 'success', text: [`${count} files`] }
  },
})
