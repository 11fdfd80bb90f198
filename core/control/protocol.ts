import { StringDecoder } from 'node:string_decoder'
import { controlBadMessage } from './errors.ts'

/**
 * What goes over the control socket: JSON, one message a line. A client sends requests; for each the master sends any number
 * of items, then one result or one error. Requests of one connection are answered as they are done, told apart by `id`.
 */
export interface ControlRequest {
  readonly id: number
  readonly method: string
  readonly params: Readonly<Record<string, unknown>>
}

export type ControlReply =
  | { readonly id: number; readonly item: unknown }
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: ControlFailure }

export interface ControlFailure {
  readonly code: string
  readonly message: string
  readonly hint?: string | undefined
}

/** The longest line either side takes, in bytes. */
export const MAX_LINE = 4 * 1024 * 1024

/** Cuts bytes into lines. The result throws CiError `BOLT_CONTROL_MESSAGE` when a line gets longer than {@link MAX_LINE}. */
export function createLineSplitter(onLine: (line: string) => void): (data: Buffer) => void {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  return (data) => {
    const lines = (rest + decoder.write(data)).split('\n')
    rest = lines.pop() ?? ''
    if (rest.length > MAX_LINE || lines.some((line) => line.length > MAX_LINE))
      throw controlBadMessage(`a line is longer than ${MAX_LINE} bytes`)
    for (const line of lines) onLine(line)
  }
}

/** @throws CiError `BOLT_CONTROL_MESSAGE`. */
export function parseRequest(line: string): ControlRequest {
  const value = parseJson(line)
  if (typeof value !== 'object' || value === null) throw controlBadMessage('it is not an object')
  const { id, method, params } = value as Readonly<Record<string, unknown>> // any object may be asked
  if (!Number.isSafeInteger(id) || typeof method !== 'string') throw controlBadMessage('it has no id or no method')
  const given = typeof params === 'object' && params !== null && !Array.isArray(params) ? params : {}
  return { id: id as number, method, params: given as ControlRequest['params'] }
}

/** @throws CiError `BOLT_CONTROL_MESSAGE`. */
export function parseReply(line: string): ControlReply {
  return parseJson(line) as ControlReply // the master behind a socket of our own user is trusted
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    throw controlBadMessage('it is not JSON')
  }
}
