import type { CommandIo } from 'boltbot/plugin-sdk'
import type { Message, Packed } from '../../../wire/msgpack/envelope.ts'
import { listIn, PeerError, textIn } from '../../../wire/msgpack/peer.ts'
import { type StockOutcome, statData } from '../stock-outcome.ts'

/** A command that a stock worker runs: what it calls about it. */
export interface StockCommand {
  /** Resolves when the worker has done with it: why it failed as a whole, or `null`. */
  readonly completed: Promise<string | null>
  handle(message: Message): Promise<Packed>
}

const MAX_BLOCK = 1024 * 1024

/** `found` turns paths that the worker lists into those of the command. */
export function createStockCommand(
  outcome: StockOutcome,
  io: CommandIo,
  found: (path: string) => string,
): StockCommand {
  const completed = Promise.withResolvers<string | null>()
  let offset = 0

  const methods: Readonly<Record<string, (message: Message) => Promise<Packed>>> = {
    async update({ args }) {
      const stored = listIn(args).map((pair) => {
        const [key, value] = listIn(pair)
        return take(textIn(key), value)
      })
      await Promise.all(stored)
      return null
    },
    async complete({ args }) {
      completed.resolve(args === null || args === undefined ? null : failureText(textIn(args)))
      return null
    },
    async update_upload_file_write({ args }) {
      const bytes = args instanceof Uint8Array ? args : Buffer.from(textIn(args))
      const at = offset
      offset += bytes.length
      await io.receive?.(at, bytes)
      return null
    },
    async update_upload_file_close() {
      return null
    },
    async update_upload_file_utime() {
      return null
    },
    async update_read_file({ length }) {
      const most = typeof length === 'number' && length > 0 ? Math.min(length, MAX_BLOCK) : MAX_BLOCK
      const bytes = (await io.provide?.(offset, most)) ?? new Uint8Array()
      offset += bytes.length
      return bytes
    },
    async update_read_file_close() {
      return null
    },
  }

  /** Takes it at once: `complete` may come before the text is stored. */
  function take(key: string, value: Packed | undefined): Promise<void> | undefined {
    if (key === 'stdout' || key === 'stderr' || key === 'header') return outcome.text(key, textIn(listIn(value)[0]))
    if (key === 'log') {
      const [name, content] = listIn(value)
      return outcome.log(textIn(name), textIn(listIn(content)[0]))
    }
    if (key === 'rc' && typeof value === 'number') outcome.exit(value)
    else if (key === 'failure_reason') outcome.reason(textIn(value))
    else if (key === 'stat') outcome.found(statData(listIn(value).map(Number)))
    else if (key === 'files' || key === 'glob') outcome.found(listIn(value).map(textIn).map(found).sort())
    return undefined
  }

  return {
    completed: completed.promise,
    async handle(message) {
      const method = Object.hasOwn(methods, message.op) ? methods[message.op] : undefined
      if (method === undefined) throw new PeerError(`Command ${message.op} does not exist.`)
      return method(message)
    },
  }
}

/** Failures come with a traceback; its first line says what. */
const failureText = (text: string) =>
  text.split('\n')[0]!.replace(/^\[Failure instance: Traceback: /, '') || 'It failed.'
