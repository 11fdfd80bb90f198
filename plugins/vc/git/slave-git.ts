import type { StepContext } from 'boltbot/plugin-sdk'
import type { Checkout } from './checkout-options.ts'

/** Git in one directory of the slave. */
export interface SlaveGit {
  readonly directory: string
  /** True when it ended well. */
  run(...args: readonly string[]): Promise<boolean>
  /** What it printed, without the line end, or `null` when it did not end well. */
  read(...args: readonly string[]): Promise<string | null>
}

const MAX_READ = 65_536

export function createSlaveGit(context: StepContext, options: Checkout, directory: string): SlaveGit {
  const env = {
    ...context.render<Record<string, string | null>>(options.env),
    GIT_TERMINAL_PROMPT: '0',
    // Named, so that a repository around the slave's directory is never taken for the missing one here.
    GIT_DIR: '.git',
    GIT_WORK_TREE: null,
    GIT_INDEX_FILE: null,
  }
  async function shell(args: readonly string[], observe?: (data: Uint8Array) => void): Promise<boolean> {
    const ended = await context.run(
      { kind: 'shell', command: ['git', ...args], workdir: directory, env, timeout: options.timeout },
      observe && { observe: (stream, data) => stream === 'stdout' && observe(data) },
    )
    if (ended.cause !== 'exit') await say(context, `git ${args[0]}: ${ended.error ?? ended.cause}`)
    return ended.cause === 'exit' && ended.exitCode === 0
  }
  return {
    directory,
    run: (...args) => shell(args),
    async read(...args) {
      const parts: Uint8Array[] = []
      let length = 0
      const ok = await shell(args, (data) => {
        if ((length += data.length) <= MAX_READ) parts.push(data.slice())
      })
      return ok ? new TextDecoder().decode(Buffer.concat(parts)).replace(/\r?\n$/, '') : null
    },
  }
}

/** What the step itself has to say, in its log. */
export function say(context: StepContext, text: string): Promise<void> {
  return context.write('stdio', 'header', `${text}\n`)
}
