import type { StepContext } from 'boltbot/plugin-sdk'
import type { CheckedCheckout } from './checkout-options.ts'
import { passwordLine } from './login.ts'
import { secretsIn } from './url-secrets.ts'

/** A version control program in one directory of the slave. */
export interface SlaveProgram {
  /** True when it ended well. */
  run(...args: readonly string[]): Promise<boolean>
  /** What it printed, without the line end, or `null` when it did not end well. */
  read(...args: readonly string[]): Promise<string | null>
}

const MAX_READ = 65_536

export function createSlaveProgram(
  context: StepContext,
  { env, timeout }: Pick<CheckedCheckout, 'env' | 'timeout'>,
  how: {
    readonly program: string
    readonly directory: string
    readonly env?: Readonly<Record<string, string | null>>
    /** Each command reads it from its standard input: a command line would show it to all users of the slave. */
    readonly password?: string | undefined
    /** Hidden in logs, as are the password and those in addresses. */
    readonly secrets?: readonly string[] | undefined
  },
): SlaveProgram {
  // Names of files are UTF-8, whatever the slave was started with.
  const all = { LC_ALL: 'C.UTF-8', ...context.render<Record<string, string | null>>(env), ...how.env }
  async function shell(args: readonly string[], observe?: (data: Uint8Array) => void): Promise<boolean> {
    const ended = await context.run(
      {
        kind: 'shell',
        command: [how.program, ...args],
        workdir: how.directory,
        env: all,
        timeout,
        secrets: [
          ...args.flatMap(secretsIn),
          ...(how.secrets ?? []),
          ...(how.password === undefined ? [] : [how.password]),
        ],
        ...(how.password !== undefined && { stdin: passwordLine(how.password) }),
      },
      observe && { observe: (stream, data) => stream === 'stdout' && observe(data) },
    )
    if (ended.cause !== 'exit') await say(context, `${how.program} ${args[0]}: ${ended.error ?? ended.cause}`)
    return ended.cause === 'exit' && ended.exitCode === 0
  }
  return {
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

/** Bytes into a file on the slave; without any an empty one. */
export async function sendFile(
  context: StepContext,
  path: string,
  bytes: Uint8Array = new Uint8Array(),
): Promise<boolean> {
  const sent = await context.run(
    { kind: 'download', path, mode: 0o600 },
    { provide: async (offset, length) => bytes.subarray(offset, offset + length) },
  )
  return sent.cause === 'exit'
}

export async function exists(context: StepContext, path: string): Promise<boolean> {
  const { data } = await context.run({ kind: 'stat', path })
  return data !== null
}
