import { randomBytes } from 'node:crypto'
import { type FileHandle, mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { CHUNK } from '../../wire/agent/limits.ts'
import type { Command, CommandResult } from '../../wire/agent/messages.ts'
import { Problem, reasonOf } from '../problem.ts'
import { type CommandContext, done, ended, endingOf, failed, say } from './context.ts'
import { strictlyInside } from './paths.ts'

export type TransferCommand = Extract<Command, { readonly kind: 'upload' | 'download' }>

/** Bytes asked for at once. */
const PIECE = CHUNK * 4

/** Files between slave and master. */
export async function runTransfer(command: TransferCommand, context: CommandContext): Promise<CommandResult> {
  const begin = context.clock.now()
  const elapsed = () => context.clock.now() - begin
  const aborted = Promise.withResolvers<never>()
  aborted.promise.catch(() => {}) // mostly nobody waits for it
  const abort = () => aborted.reject(new Problem(endingOf(context.signal).reason))
  context.signal.addEventListener('abort', abort)
  /** What waits for the master also ends when the command shall end. */
  const unlessEnded = <T>(work: Promise<T>): Promise<T> => Promise.race([work, aborted.promise])
  try {
    say(context, `${command.kind} ${command.path}\n`)
    if (context.signal.aborted) return ended(endingOf(context.signal), elapsed())
    const path = strictlyInside(context.directory, command.path)
    const size = await (command.kind === 'upload'
      ? upload(command, path, context, unlessEnded)
      : download(command, path, context, unlessEnded))
    say(context, `${size} bytes\n`)
    return done(null, elapsed())
  } catch (error) {
    if (context.signal.aborted) return ended(endingOf(context.signal), elapsed())
    say(context, `${reasonOf(error)}\n`)
    return failed(error, elapsed())
  } finally {
    context.signal.removeEventListener('abort', abort)
  }
}

type UnlessEnded = <T>(work: Promise<T>) => Promise<T>

async function upload(
  { path: shown, maxSize }: TransferCommand,
  path: string,
  context: CommandContext,
  unlessEnded: UnlessEnded,
): Promise<number> {
  const handle = await open(path, 'r')
  try {
    const found = await handle.stat()
    if (!found.isFile()) throw new Problem(`"${shown}" is not a file.`)
    if (maxSize !== null && maxSize !== undefined && found.size > maxSize)
      throw new Problem(`The file "${shown}" has ${found.size} bytes, the limit is ${maxSize}.`)
    const read = async (offset: number, length: number) => {
      const buffer = Buffer.allocUnsafe(Math.min(length, found.size - offset))
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, offset)
      return buffer.subarray(0, bytesRead)
    }
    await unlessEnded(context.upload({ size: found.size, read }))
    return found.size
  } finally {
    await handle.close()
  }
}

/** Under a temporary name, synced, renamed: there is the old file or the new one, never a part of it. */
async function download(
  command: TransferCommand & { readonly kind?: 'upload' | 'download'; readonly mode?: number | null },
  path: string,
  context: CommandContext,
  unlessEnded: UnlessEnded,
): Promise<number> {
  const existing = await stat(path).catch(() => undefined)
  if (existing?.isDirectory()) throw new Problem(`"${command.path}" is a folder.`)
  await mkdir(dirname(path), { recursive: true })
  const temporary = join(dirname(path), `.${basename(path).slice(0, 200)}.${randomBytes(6).toString('hex')}`)
  const handle = await open(temporary, 'wx', 0o666)
  try {
    const size = await fill(handle, command, context, unlessEnded)
    if (command.mode !== null && command.mode !== undefined) await handle.chmod(command.mode & 0o7777)
    await handle.sync()
    await handle.close()
    await rename(temporary, path)
    return size
  } catch (error) {
    await handle.close().catch(() => {}) // it may be closed already
    await rm(temporary, { force: true })
    throw error
  }
}

async function fill(
  handle: FileHandle,
  { path, maxSize }: TransferCommand,
  context: CommandContext,
  unlessEnded: UnlessEnded,
): Promise<number> {
  for (let offset = 0; ; ) {
    const data = await unlessEnded(context.want(offset, PIECE))
    if (data.length === 0) return offset
    if (maxSize !== null && maxSize !== undefined && offset + data.length > maxSize)
      throw new Problem(`The file for "${path}" has more than ${maxSize} bytes.`)
    for (let written = 0; written < data.length; ) {
      const { bytesWritten } = await handle.write(data, written, data.length - written, offset + written)
      written += bytesWritten
    }
    offset += data.length
  }
}
