import { ProtocolError } from '../protocol-error.ts'

/** A check of one value: says what is wrong with it, or nothing. Never throws. */
export type Shape = (value: unknown) => string | undefined

export const text =
  (max: number): Shape =>
  (value) =>
    typeof value === 'string' && value.length <= max ? undefined : `a text of at most ${max} characters`

export const bytes =
  (max: number): Shape =>
  (value) =>
    value instanceof Uint8Array && value.length <= max ? undefined : `at most ${max} bytes`

/** A whole number, not negative. */
export const count: Shape = (value) =>
  Number.isSafeInteger(value) && (value as number) >= 0 ? undefined : 'a whole number'

/** A number, not negative. */
export const amount: Shape = (value) =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0 ? undefined : 'a number'

export const integer: Shape = (value) => (Number.isSafeInteger(value) ? undefined : 'a whole number')

export const flag: Shape = (value) => (typeof value === 'boolean' ? undefined : 'true or false')

export const anything: Shape = () => undefined

export const oneOf =
  (...values: readonly string[]): Shape =>
  (value) =>
    values.includes(value as string) ? undefined : `one of ${values.join(', ')}`

export const orNull =
  (shape: Shape): Shape =>
  (value) =>
    value === null ? undefined : shape(value)

/** May also be left out. */
export const maybe =
  (shape: Shape): Shape =>
  (value) =>
    value === null || value === undefined ? undefined : shape(value)

export const either =
  (...shapes: readonly Shape[]): Shape =>
  (value) => {
    const problems = shapes.map((shape) => shape(value))
    return problems.includes(undefined) ? undefined : problems.join(' or ')
  }

export const listOf =
  (shape: Shape, max: number): Shape =>
  (value) =>
    Array.isArray(value) && value.length <= max && value.every((item) => shape(item) === undefined)
      ? undefined
      : `a list of at most ${max} proper items`

export const mapOf =
  (shape: Shape, max: number): Shape =>
  (value) =>
    isRecord(value) && Object.keys(value).length <= max && Object.values(value).every((v) => shape(v) === undefined)
      ? undefined
      : `a map of at most ${max} proper items`

/** A map with these fields; others, of a newer program perhaps, are let through. */
export const fields = (shapes: Readonly<Record<string, Shape>>): Shape => {
  const entries = Object.entries(shapes)
  return (value) => {
    if (!isRecord(value)) return 'a map'
    for (const [name, shape] of entries) {
      const problem = shape(Object.hasOwn(value, name) ? value[name] : undefined)
      if (problem !== undefined) return `${problem} as "${name}"`
    }
    return undefined
  }
}

/** @throws ProtocolError */
export function demand(shape: Shape, value: unknown, what: string): void {
  const problem = shape(value)
  if (problem !== undefined) throw new ProtocolError(`A ${what} needs ${problem}.`)
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
}
