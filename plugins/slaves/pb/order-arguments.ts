import type { CommandIo } from 'boltbot/plugin-sdk'
import { dictionaryOf } from '../../../wire/pb/jelly.ts'
import { type Dictionary, Referenceable, Tuple, type Value } from '../../../wire/pb/values.ts'
import { isAtLeast, type WorkerInfo } from '../stock-link.ts'
import { type StockOrder, shellArguments } from '../stock-orders.ts'

/** The name and arguments of an order as a worker takes them over Perspective Broker. */
export interface WorkerCommand {
  readonly name: string
  readonly args: Dictionary
  /** Objects that the worker calls while it runs. */
  readonly objects: readonly Referenceable[]
}

const UPLOAD_BLOCK = 256 * 1024
const DOWNLOAD_BLOCK = 256 * 1024
/** Seconds that removing and copying folders may print nothing. */
const FOLDER_TIMEOUT = 20 * 60

export function workerCommand(order: StockOrder, io: CommandIo, info: WorkerInfo): WorkerCommand {
  const plain = (name: string, entries: Readonly<Record<string, Value>>): WorkerCommand => ({
    name,
    args: dictionaryOf(entries),
    objects: [],
  })
  switch (order.kind) {
    case 'shell':
      return plain('shell', { workdir: order.workdir, dir: order.workdir, ...shellValues(order, info) })
    case 'mkdir':
      return plain('mkdir', { dir: order.path })
    case 'rmdir':
      return plain('rmdir', { dir: order.path, timeout: FOLDER_TIMEOUT, logEnviron: false })
    case 'cpdir':
      return plain('cpdir', { fromdir: order.from, todir: order.to, timeout: FOLDER_TIMEOUT, logEnviron: false })
    case 'stat':
      return plain('stat', { file: order.path, workdir: '.' })
    case 'glob':
      return plain('glob', { path: order.pattern, logEnviron: false })
    case 'rmfile':
      return plain('rmfile', { path: order.path })
    case 'upload':
      return upload(order, io, info)
    case 'download':
      return download(order, io, info)
  }
}

function shellValues(order: StockOrder & { readonly kind: 'shell' }, info: WorkerInfo): Record<string, Value> {
  const { command, env, sigtermTime, logfiles: _none, usePTY, ...rest } = shellArguments(order.shell)
  return {
    ...rest,
    logfiles: new Map(),
    command: typeof command === 'string' ? command : command.map(word),
    env: dictionaryOf(env),
    // Old slaves take their own setting only by this word, and no time between two signals.
    usePTY: isAtLeast(info, 'shell', '3.0') ? usePTY : 'slave-config',
    ...(isAtLeast(info, 'shell', '2.16') && { sigtermTime }),
  }
}

const word = (part: string | { readonly real: string; readonly shown: string }): Value =>
  typeof part === 'string' ? part : new Tuple(['obfuscated', part.real, part.shown])

function upload(order: StockOrder & { readonly kind: 'upload' }, io: CommandIo, info: WorkerInfo): WorkerCommand {
  let offset = 0
  const writer = new Referenceable({
    async write([data]) {
      const bytes = bytesOf(data)
      const at = offset
      offset += bytes.length
      await io.receive?.(at, bytes)
      return null
    },
    close: () => null,
    utime: () => null,
  })
  const source = isAtLeast(info, 'uploadFile', '3.0') ? 'workersrc' : 'slavesrc'
  const args = dictionaryOf({
    [source]: order.path,
    workdir: '.',
    writer,
    maxsize: order.maxSize,
    blocksize: UPLOAD_BLOCK,
    keepstamp: false,
  })
  return { name: 'uploadFile', args, objects: [writer] }
}

function download(order: StockOrder & { readonly kind: 'download' }, io: CommandIo, info: WorkerInfo): WorkerCommand {
  let offset = 0
  const reader = new Referenceable({
    async read([length]) {
      const most = typeof length === 'number' && length > 0 ? Math.min(length, DOWNLOAD_BLOCK) : DOWNLOAD_BLOCK
      const bytes = (await io.provide?.(offset, most)) ?? new Uint8Array()
      offset += bytes.length
      return bytes
    },
    close: () => null,
  })
  const target = isAtLeast(info, 'downloadFile', '3.0') ? 'workerdest' : 'slavedest'
  const args = dictionaryOf({
    [target]: order.path,
    workdir: '.',
    reader,
    maxsize: order.maxSize,
    blocksize: DOWNLOAD_BLOCK,
    mode: order.mode,
  })
  return { name: 'downloadFile', args, objects: [reader] }
}

/** Old programs may send text for bytes. */
function bytesOf(value: Value | undefined): Uint8Array {
  if (value instanceof Uint8Array) return value
  return Buffer.from(typeof value === 'string' ? value : '')
}
