import { spawn } from 'node:child_process'
import { cp, glob, mkdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import {
  type Change,
  type Clock,
  type Command,
  type CommandResult,
  type Json,
  type PropertyEntry,
  type RunOptions,
  render,
  type ShellCommandSpec,
  type SourceStamp,
  type Step,
  type StepContext,
  type StepOutcome,
} from 'boltbot/plugin-sdk'
import { createFakeClock, createMemoryLog } from 'boltbot/plugin-sdk/testing'

/** A step's context whose commands are done here and now: real programs, real files, no slave and no master. */
export interface LocalStep {
  readonly context: StepContext
  /** Texts of the step's logs; what the master or slave says stands between `[` and `]`. */
  readonly logs: Map<string, string>
  readonly properties: Record<string, PropertyEntry>
  /** The commands it asked for. */
  readonly asked: readonly Command[]
  /** Checks the step's options and runs it. */
  run(step: Step): Promise<StepOutcome>
}

export interface LocalStepOptions {
  /** The builder's directory. */
  readonly directory: string
  readonly sourceStamp?: Partial<SourceStamp>
  readonly properties?: Readonly<Record<string, Json>>
  readonly changes?: readonly Change[]
  readonly signal?: AbortSignal
  readonly clock?: Clock
  readonly secrets?: Readonly<Record<string, string>>
  /** Answers in place of a command. */
  readonly instead?: (command: Command) => CommandResult | undefined
}

export function createLocalStep(options: LocalStepOptions): LocalStep {
  const logs = new Map<string, string>()
  const asked: Command[] = []
  const properties: Record<string, PropertyEntry> = {}
  for (const [name, value] of Object.entries(options.properties ?? {})) properties[name] = { value, source: 'test' }
  const signal = options.signal ?? new AbortController().signal
  const append = (name: string, text: string) => void logs.set(name, (logs.get(name) ?? '') + text)

  const context: StepContext = {
    builder: 'full',
    number: 1,
    slave: 'bot',
    sourceStamp: {
      branch: null,
      revision: null,
      repository: '',
      project: '',
      codebase: '',
      patch: null,
      changes: [],
      ...options.sourceStamp,
    },
    changes: options.changes ?? [],
    properties,
    results: [],
    treeStableMs: null,
    signal,
    clock: options.clock ?? createFakeClock(),
    log: createMemoryLog(),
    async run(command, runOptions = {}) {
      signal.throwIfAborted()
      asked.push(command)
      const done = options.instead?.(command) ?? (await perform(options.directory, command, runOptions, append, signal))
      if (done.error !== null) append('stdio', `[${done.error}]\n`)
      return done
    },
    async write(log, stream, text) {
      append(log, stream === 'header' ? `[${text.trimEnd()}]\n` : text)
    },
    addSteps: async () => {},
    trigger: () => Promise.reject(new Error('there is no scheduler here')),
    setProperty(name, value) {
      properties[name] = { value, source: 'step' }
    },
    render: (value) => render(value, properties, ({ name }) => options.secrets?.[name] ?? ''),
  }
  return {
    context,
    logs,
    properties,
    asked,
    async run({ definition, options: given }) {
      const checked = definition.schema?.['~standard'].validate(given)
      if (checked instanceof Promise || checked?.issues) throw new Error(`options refused: ${JSON.stringify(checked)}`)
      return definition.run(context, (checked?.value ?? given) as never) // the factory tied options and definition
    },
  }
}

const ENDED: CommandResult = { exitCode: 0, signal: null, cause: 'exit', error: null, elapsed: 0, data: null }

async function perform(
  directory: string,
  command: Command,
  runOptions: RunOptions,
  append: (log: string, text: string) => void,
  signal: AbortSignal,
): Promise<CommandResult> {
  const at = (path: string) => join(directory, path)
  try {
    switch (command.kind) {
      case 'shell':
        return await shell(directory, command, runOptions, append, signal)
      case 'mkdir':
        for (const path of command.paths) await mkdir(at(path), { recursive: true })
        return ENDED
      case 'rmdir':
      case 'rmfile':
        for (const path of command.paths) await rm(at(path), { recursive: true, force: true })
        return ENDED
      case 'cpdir':
        await rm(at(command.to), { recursive: true, force: true })
        await cp(at(command.from), at(command.to), { recursive: true, verbatimSymlinks: true })
        return ENDED
      case 'stat': {
        const found = await stat(at(command.path)).catch(() => null)
        const type = found?.isDirectory() ? 'directory' : 'file'
        return { ...ENDED, data: found && { type, size: found.size, mtime: found.mtimeMs } }
      }
      case 'glob':
        return { ...ENDED, data: (await Array.fromAsync(glob(command.pattern, { cwd: directory }))).sort() }
      case 'download': {
        await mkdir(dirname(at(command.path)), { recursive: true })
        const parts: Uint8Array[] = []
        for (let offset = 0; ; ) {
          const data = await runOptions.provide!(offset, 1000)
          if (data.length === 0) break
          parts.push(data)
          offset += data.length
        }
        await writeFile(`${at(command.path)}.part`, Buffer.concat(parts))
        await rename(`${at(command.path)}.part`, at(command.path))
        return ENDED
      }
      default:
        throw new Error(`no ${command.kind} here`)
    }
  } catch (error) {
    return { ...ENDED, exitCode: null, cause: 'error', error: String(error) }
  }
}

async function shell(
  directory: string,
  spec: ShellCommandSpec,
  { observe, log = 'stdio' }: RunOptions,
  append: (log: string, text: string) => void,
  signal: AbortSignal,
): Promise<CommandResult> {
  const cwd = join(directory, spec.workdir ?? 'build')
  await mkdir(cwd, { recursive: true })
  const env: Record<string, string | undefined> = { ...process.env }
  for (const [name, value] of Object.entries(spec.env ?? {})) env[name] = value ?? undefined
  const [program = '', ...args] = typeof spec.command === 'string' ? ['/bin/sh', '-c', spec.command] : spec.command
  const child = spawn(program, args, { cwd, env, stdio: ['pipe', 'pipe', 'pipe'] })
  child.stdin.on('error', () => {}) // it may not want it
  child.stdin.end(spec.stdin ?? '')
  let cause: CommandResult['cause'] = 'exit'
  const end = (why: CommandResult['cause']) => {
    cause = why
    child.kill()
  }
  const interrupt = () => end('interrupted')
  signal.addEventListener('abort', interrupt, { once: true })
  let quiet: NodeJS.Timeout | undefined
  const heard = () => {
    clearTimeout(quiet)
    if (typeof spec.timeout === 'number') quiet = setTimeout(() => end('timeout'), spec.timeout)
  }
  const limit = typeof spec.maxTime === 'number' ? setTimeout(() => end('maxTime'), spec.maxTime) : undefined
  heard()
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].on('data', (data: Buffer) => {
      heard()
      observe?.(stream, data)
      append(log, data.toString())
    })
  }
  try {
    return await new Promise<CommandResult>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (exitCode, by) => resolve({ ...ENDED, exitCode, signal: by, cause }))
    })
  } finally {
    clearTimeout(quiet)
    clearTimeout(limit)
    signal.removeEventListener('abort', interrupt)
  }
}
