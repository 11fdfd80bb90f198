import type { Packed } from '../../../wire/msgpack/envelope.ts'
import type { WorkerInfo } from '../stock-link.ts'
import { type StockOrder, shellArguments } from '../stock-orders.ts'
import { joinPath } from '../stock-paths.ts'

/** The name and arguments of an order as a worker takes them over msgpack: all paths are absolute. */
export interface WorkerCommand {
  readonly name: string
  readonly args: Readonly<Record<string, Packed>>
}

const BLOCK = 256 * 1024
/** Seconds that removing and copying folders may print nothing. */
const FOLDER_TIMEOUT = 20 * 60

export function workerCommand(order: StockOrder, root: string, info: WorkerInfo): WorkerCommand {
  const at = (path: string) => joinPath(info.style, root, path)
  switch (order.kind) {
    case 'shell': {
      const { command, ...rest } = shellArguments(order.shell)
      // A word to be hidden, as PB has it, would be taken for three words: the master hides secrets in what comes back.
      const words =
        typeof command === 'string' ? command : command.map((word) => (typeof word === 'string' ? word : word.real))
      return { name: 'shell', args: { ...rest, command: words, workdir: at(order.workdir), max_lines: null } }
    }
    case 'mkdir':
      return { name: 'mkdir', args: { paths: [at(order.path)] } }
    case 'rmdir':
      return { name: 'rmdir', args: { paths: [at(order.path)], timeout: FOLDER_TIMEOUT, logEnviron: false } }
    case 'cpdir':
      return {
        name: 'cpdir',
        args: { from_path: at(order.from), to_path: at(order.to), timeout: FOLDER_TIMEOUT, logEnviron: false },
      }
    case 'stat':
    case 'rmfile':
      return { name: order.kind, args: { path: at(order.path) } }
    case 'glob':
      return { name: 'glob', args: { path: at(order.pattern), logEnviron: false } }
    case 'upload':
      return {
        name: 'upload_file',
        args: { path: at(order.path), maxsize: order.maxSize, blocksize: BLOCK, keepstamp: false },
      }
    case 'download':
      return {
        name: 'download_file',
        args: { path: at(order.path), maxsize: order.maxSize, blocksize: BLOCK, mode: order.mode },
      }
  }
}
