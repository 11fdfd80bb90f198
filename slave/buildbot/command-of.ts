import { relative } from 'node:path'
import type { Command } from '../../wire/agent/messages.ts'
import { isPackedMap, type Packed, type PackedMap } from '../../wire/msgpack/envelope.ts'
import { listIn, PeerError, textIn } from '../../wire/msgpack/peer.ts'

/** Versions of commands as workers of 3.7 have them. */
const VERSION = '3.1'

const NAMES = ['shell', 'mkdir', 'rmdir', 'cpdir', 'stat', 'glob', 'listdir', 'rmfile', 'upload_file', 'download_file']
/** Masters look for these, and then use the others. */
const OTHER_NAMES = ['uploadFile', 'downloadFile']

/** What this worker can do, for masters that look before they ask. */
export const COMMANDS: PackedMap = Object.fromEntries([...NAMES, ...OTHER_NAMES].map((name) => [name, VERSION]))

export const isKnown = (name: string): boolean => NAMES.includes(name)

/** A command of a Buildbot master as our commands have it; `undefined`: none of them does it. Its paths are absolute. @throws PeerError */
export function commandOf(
  name: string,
  args: PackedMap,
  basedir: string,
  environment: Readonly<Record<string, string | undefined>>,
): Command | undefined {
  const at = (path: Packed | undefined) => relative(basedir, textIn(path)) || '.'
  switch (name) {
    case 'shell':
      return shellOf(args, at(args.workdir), environment)
    case 'mkdir':
    case 'rmdir':
      return { kind: name, paths: listIn(args.paths).map(at) }
    case 'rmfile':
      return { kind: 'rmfile', paths: [at(args.path)] }
    case 'cpdir':
      return { kind: 'cpdir', from: at(args.from_path), to: at(args.to_path) }
    case 'upload_file':
      return { kind: 'upload', path: at(args.path), ...maxSizeOf(args) }
    case 'download_file':
      return {
        kind: 'download',
        path: at(args.path),
        ...maxSizeOf(args),
        ...(typeof args.mode === 'number' && { mode: args.mode }),
      }
    default:
      return undefined
  }
}

const maxSizeOf = ({ maxsize }: PackedMap) => (typeof maxsize === 'number' ? { maxSize: maxsize } : {})

function shellOf(args: PackedMap, workdir: string, environment: Readonly<Record<string, string | undefined>>): Command {
  const { command, timeout, maxTime, sigtermTime, initial_stdin } = args
  if (typeof command !== 'string' && !Array.isArray(command)) throw new PeerError('shell needs a command.')
  return {
    kind: 'shell',
    command: typeof command === 'string' ? command : listIn(command).map(textIn),
    workdir,
    env: environmentOf(args.env, environment),
    timeout: inMs(timeout),
    maxTime: inMs(maxTime),
    ...(typeof sigtermTime === 'number' && { sigtermTime: sigtermTime * 1000 }),
    wantStdout: args.want_stdout !== false && args.want_stdout !== 0,
    wantStderr: args.want_stderr !== false && args.want_stderr !== 0,
    ...(typeof initial_stdin === 'string' && { stdin: initial_stdin }),
  }
}

const inMs = (seconds: Packed | undefined) => (typeof seconds === 'number' ? seconds * 1000 : null)

/** `${NAME}` in a value is one of the worker's own; a list is joined as paths are; PYTHONPATH is put in front of what is there. */
function environmentOf(
  given: Packed | undefined,
  own: Readonly<Record<string, string | undefined>>,
): Record<string, string | null> {
  const result: Record<string, string | null> = {}
  for (const [name, value] of Object.entries(isPackedMap(given) ? given : {})) {
    if (value === null) result[name] = null
    else {
      const text = Array.isArray(value) ? value.map(textIn).join(':') : String(value)
      const filled = text.replace(/\$\{(\w+)\}/g, (_, variable: string) => own[variable] ?? '')
      result[name] = name === 'PYTHONPATH' && own.PYTHONPATH ? `${filled}:${own.PYTHONPATH}` : filled
    }
  }
  return result
}
