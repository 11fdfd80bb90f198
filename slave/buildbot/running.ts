import { glob, readdir, stat } from 'node:fs/promises'
import { constants } from 'node:os'
import { join } from 'node:path'
import type { CommandResult } from '../../wire/agent/messages.ts'
import type { Packed, PackedMap } from '../../wire/msgpack/envelope.ts'
import { type Peer, textIn } from '../../wire/msgpack/peer.ts'
import type { CommandContext, Ending } from '../commands/context.ts'
import { runCommand } from '../commands/run.ts'
import { reasonOf } from '../problem.ts'
import { commandOf } from './command-of.ts'
import { createLineOutput } from './output.ts'

export type Surroundings = Pick<CommandContext, 'directory' | 'mark' | 'environment' | 'platform' | 'usePty' | 'clock'>

export interface RunningCommand {
  /** Resolves when the master was told of its end. Never rejects. */
  readonly ended: Promise<void>
  end(ending: Ending): void
}

const BLOCK = 256 * 1024

/** Runs a command of a Buildbot master and tells it what comes of it. */
export function runForMaster(
  peer: Peer,
  id: string,
  name: string,
  args: PackedMap,
  surroundings: Surroundings,
): RunningCommand {
  const abort = new AbortController()
  const { clock } = surroundings
  const lines = createLineOutput(() => clock.now() / 1000)
  const began = clock.now()

  const update = async (pairs: readonly Packed[]): Promise<void> => {
    if (pairs.length > 0) await peer.call('update', { command_id: id, args: pairs })
  }
  const context: CommandContext = {
    ...surroundings,
    signal: abort.signal,
    output(stream, data) {
      const pair = lines.add(stream, data)
      return pair === undefined ? undefined : update([pair]).catch(() => {}) // a lost link ends the command
    },
    async upload(source) {
      for (let at = 0; at < source.size; at += BLOCK) {
        const bytes = await source.read(at, BLOCK)
        await peer.call('update_upload_file_write', { command_id: id, args: bytes })
      }
      await peer.call('update_upload_file_close', { command_id: id })
    },
    async want(_, length) {
      const bytes = await peer.call('update_read_file', { command_id: id, length })
      return bytes instanceof Uint8Array ? bytes : new Uint8Array()
    },
  }

  async function act(): Promise<readonly Packed[]> {
    const look = LOOKS[name]
    if (look !== undefined) return await look(textIn(args.path))
    const command = commandOf(name, args, surroundings.directory, surroundings.environment)!
    const result = await runCommand(command, context)
    if (name === 'download_file') await peer.call('update_read_file_close', { command_id: id })
    return [...reasonFor(result), ['rc', codeOf(result)]]
  }

  async function run(): Promise<void> {
    try {
      const found = await act()
      await update([...lines.rest(), ...found, ['elapsed', (clock.now() - began) / 1000]])
      await peer.call('complete', { command_id: id, args: null })
    } catch (error) {
      await peer.call('complete', { command_id: id, args: reasonOf(error) }).catch(() => {}) // the link is gone, and nobody asks
    }
  }

  return { ended: run(), end: (ending) => abort.abort(ending) }
}

const codeOf = (result: CommandResult) =>
  result.exitCode ?? (result.cause === 'error' && result.signal === null ? 1 : -1)

/** Newer masters are told why a command was ended; older ones pass over it. */
function reasonFor({ cause }: CommandResult): readonly Packed[] {
  if (cause === 'timeout') return [['failure_reason', 'timeout_without_output']]
  return cause === 'maxTime' ? [['failure_reason', 'timeout']] : []
}

/** What only looks: done here, in the form the master wants. */
const LOOKS: Readonly<Record<string, (path: string) => Promise<readonly Packed[]>>> = {
  stat: looking(async (path) => {
    const { mode, ino, dev, nlink, uid, gid, size, atimeMs, mtimeMs, ctimeMs } = await stat(path)
    const times = [atimeMs, mtimeMs, ctimeMs].map((ms) => Math.floor(ms / 1000))
    return ['stat', [mode, ino, dev, nlink, uid, gid, size, ...times]]
  }),
  listdir: looking(async (path) => ['files', await readdir(path)]),
  glob: looking(async (path) => ['files', (await Array.fromAsync(glob(path))).map((found) => join('/', found)).sort()]),
}

function looking(look: (path: string) => Promise<Packed>): (path: string) => Promise<readonly Packed[]> {
  return async (path) => {
    try {
      return [await look(path), ['rc', 0]]
    } catch (error) {
      const { code = 'EIO', message } = error as NodeJS.ErrnoException // of the file system
      const text = `${message}\n`
      const number = (constants.errno as Readonly<Record<string, number>>)[code] ?? 1
      return [
        ['header', [text, [text.length - 1], [0]]],
        ['rc', number],
      ]
    }
  }
}
