/** The log of the agent. Messages are constant lower-case phrases, the data stands in the fields. */
export interface SlaveLog {
  error(message: string, fields?: Readonly<Record<string, unknown>>): void
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void
  info(message: string, fields?: Readonly<Record<string, unknown>>): void
}

/** One JSON line each. */
export function createSlaveLog(write: (line: string) => void, now: () => number): SlaveLog {
  const at = (level: string) => (message: string, fields?: Readonly<Record<string, unknown>>) =>
    write(`${JSON.stringify({ time: new Date(now()).toISOString(), level, message, ...fields }, plain)}\n`)
  return { error: at('error'), warn: at('warn'), info: at('info') }
}

function plain(_: string, value: unknown): unknown {
  return value instanceof Error ? value.message : value
}
