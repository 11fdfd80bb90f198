import { chmod, cp, glob, lstat, mkdir, readdir, rm, stat, unlink } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import type { Command, CommandResult, Json } from '../../wire/agent/messages.ts'
import { Problem, reasonOf } from '../problem.ts'
import { type CommandContext, done, ended, endingOf, failed, say } from './context.ts'
import { inside, strictlyInside } from './paths.ts'
import { runProcess } from './process.ts'

export type FileCommand = Extract<Command, { readonly kind: 'mkdir' | 'rmdir' | 'rmfile' | 'cpdir' | 'stat' | 'glob' }>

/** Paths a `glob` gives at most: its result must fit in a message. */
const MAX_PATHS = 50_000
const MAX_PATHS_BYTES = 900_000

/** What is done with files on the slave. Says in the header what it does, and why it failed. */
export async function runFileCommand(command: FileCommand, context: CommandContext): Promise<CommandResult> {
  const begin = context.clock.now()
  const elapsed = () => context.clock.now() - begin
  try {
    say(context, `${command.kind} ${words(command).join(' ')}\n`)
    const data = await act(command, context)
    return context.signal.aborted ? ended(endingOf(context.signal), elapsed()) : done(data, elapsed())
  } catch (error) {
    if (context.signal.aborted) return ended(endingOf(context.signal), elapsed())
    say(context, `${reasonOf(error)}\n`)
    return failed(error, elapsed())
  }
}

function words(command: FileCommand): readonly string[] {
  if ('paths' in command) return command.paths
  if (command.kind === 'cpdir') return [command.from, command.to]
  return [command.kind === 'stat' ? command.path : command.pattern]
}

async function act(command: FileCommand, context: CommandContext): Promise<Json> {
  const { directory, signal } = context
  switch (command.kind) {
    case 'mkdir':
      for (const path of command.paths) await mkdir(inside(directory, path), { recursive: true })
      return null
    case 'rmdir':
      for (const path of command.paths) {
        if (signal.aborted) return null
        await removeTree(strictlyInside(directory, path))
      }
      return null
    case 'rmfile':
      for (const path of command.paths) await removeFile(strictlyInside(directory, path))
      return null
    case 'cpdir':
      await copy(inside(directory, command.from), strictlyInside(directory, command.to), context)
      return null
    case 'stat':
      return await look(inside(directory, command.path))
    case 'glob':
      return await find(directory, command.pattern)
  }
}

/** Builds sometimes leave folders without the right to write: it is given back, once, before giving up. */
async function removeTree(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true, maxRetries: 3 })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'EACCES' && code !== 'EPERM') throw error
    await openUp(path)
    await rm(path, { recursive: true, force: true, maxRetries: 3 })
  }
}

async function openUp(path: string): Promise<void> {
  const entry = await lstat(path)
  if (!entry.isDirectory()) return
  await chmod(path, entry.mode | 0o700)
  for (const name of await readdir(path)) await openUp(join(path, name))
}

async function removeFile(path: string): Promise<void> {
  try {
    await unlink(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}

/** A copy with modes, times and links as they are; where there is `cp` it does the work, and can be ended. */
async function copy(from: string, to: string, context: CommandContext): Promise<void> {
  if (!(await stat(from)).isDirectory()) throw new Problem(`"${from}" is not a folder.`)
  await removeTree(to)
  if (context.platform === 'win32') {
    await cp(from, to, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true })
    return
  }
  const shell = { kind: 'shell' as const, command: ['cp', '-R', '-P', '-p', from, to] }
  const { exitCode, signal } = await runProcess(shell, context.directory, context)
  if (exitCode !== 0) throw new Problem(`Copying failed: cp ended with ${exitCode ?? signal}.`)
}

async function look(path: string): Promise<Json> {
  try {
    const found = await stat(path)
    const type = found.isFile() ? 'file' : found.isDirectory() ? 'directory' : 'other'
    return { type, size: found.size, mtime: Math.round(found.mtimeMs) }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return null
    throw error
  }
}

async function find(directory: string, pattern: string): Promise<Json> {
  if (isAbsolute(pattern) || pattern.split(/[/\\{},]/).includes('..'))
    throw new Problem(`The pattern "${pattern}" leaves the builder's directory.`)
  const found: string[] = []
  let size = 0
  for await (const path of glob(pattern, { cwd: directory })) {
    found.push(path)
    size += Buffer.byteLength(path) + 5
    if (found.length > MAX_PATHS || size > MAX_PATHS_BYTES)
      throw new Problem(`The pattern "${pattern}" matches too much: more than ${found.length - 1} paths.`)
  }
  return found.sort()
}
