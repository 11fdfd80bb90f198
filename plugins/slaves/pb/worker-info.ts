import { NO_SUCH_METHOD, RemoteError } from '../../../wire/pb/remote-error.ts'
import type { Dictionary, RemoteReference, Value } from '../../../wire/pb/values.ts'
import type { WorkerInfo } from '../stock-link.ts'

/** Asks a worker, also one of the years when they were called slaves. */
export async function askWorkerInfo(mind: RemoteReference): Promise<WorkerInfo> {
  const info = await ask(mind, 'getWorkerInfo')
  if (info) return infoOf(info)
  const old: Dictionary = (await ask(mind, 'getSlaveInfo')) ?? new Map()
  if (!old.has('slave_commands')) {
    old.set('slave_commands', (await ask(mind, 'getCommands')) ?? new Map())
    const version = await unlessMissing(mind.call('getVersion'))
    if (version !== undefined) old.set('version', version)
  }
  return infoOf(old)
}

async function ask(mind: RemoteReference, method: string): Promise<Dictionary | undefined> {
  const answer = await unlessMissing(mind.call(method))
  return answer instanceof Map ? answer : undefined
}

/** `undefined` when the worker has no such method. */
async function unlessMissing(call: Promise<Value>): Promise<Value | undefined> {
  try {
    return await call
  } catch (error) {
    if (error instanceof RemoteError && isMissing(error)) return undefined
    throw error
  }
}

export const isMissing = (error: RemoteError) =>
  error.is(NO_SUCH_METHOD) || error.is('exceptions.AttributeError') || error.is('builtins.AttributeError')

function infoOf(info: Dictionary): WorkerInfo {
  const commands = info.get('worker_commands') ?? info.get('slave_commands')
  return {
    admin: text(info.get('admin')),
    host: text(info.get('host')),
    version: text(info.get('version')),
    basedir: text(info.get('basedir')) ?? '',
    style: text(info.get('system')) === 'nt' ? 'win32' : 'posix',
    commands: new Map(
      commands instanceof Map ? [...commands].map(([name, version]) => [String(name), text(version) ?? '']) : [],
    ),
  }
}

/** Contents of its files end with a line end. */
function text(value: Value | undefined): string | null {
  if (value instanceof Uint8Array) return Buffer.from(value).toString().trim()
  return typeof value === 'string' ? value.trim() : null
}
