import { textOf } from '../../wire/pb/plain.ts'
import { RESULT_NUMBERS } from '../../wire/pb/results.ts'
import { Referenceable, RemoteReference, type Value } from '../../wire/pb/values.ts'
import { oneLine } from './output.ts'

/** What a status port told. */
export interface RemoteEvent {
  readonly at: number
  readonly name: string
  readonly builder: string
  /** Of the build, where there is one. */
  readonly number?: number
  readonly step?: string
  readonly log?: string
  readonly state?: string
  readonly result?: string
  readonly text?: string
  /** Seconds. */
  readonly eta?: number
}

/**
 * The object that a status port tells what happens; `say` is told in the same order. Objects that are not needed any more are given to
 * `drop`: a master keeps only so many for one client.
 */
export function createStatusTarget(
  say: (event: RemoteEvent) => void,
  drop: (object: RemoteReference) => void,
): Referenceable {
  let last: Promise<void> = Promise.resolve()
  const numbers = new WeakMap<RemoteReference, Promise<number | undefined>>()

  function numberOf(build: Value | undefined): Promise<number | undefined> | undefined {
    if (!(build instanceof RemoteReference)) return undefined
    const known = numbers.get(build) ?? build.call('getNumber').then(numberOrNone, () => undefined)
    numbers.set(build, known)
    return known
  }

  /** Answered when it was said: a master that tells of logs waits for that. */
  const method =
    (name: string, ...fields: readonly Field[]) =>
    async ([builder, ...rest]: readonly Value[]) => {
      const at = Date.now()
      const [first, ...others] = rest.filter((value) => value instanceof RemoteReference)
      const number = name.startsWith('builder') ? undefined : numberOf(first)
      const words = fieldsOf(fields, rest)
      last = last.then(async () => {
        const known = await number
        say({ at, name, builder: textOf(builder) ?? '', ...(known !== undefined && { number: known }), ...words })
      })
      await last
      for (const object of others) drop(object)
      if (first && (name === 'buildFinished' || number === undefined)) drop(first)
      return null
    }

  return new Referenceable({
    builderAdded: method('builderAdded'),
    builderRemoved: method('builderRemoved'),
    builderChangedState: method('builderChangedState', 'state'),
    buildStarted: method('buildStarted'),
    buildFinished: method('buildFinished', '', 'result'),
    buildETAUpdate: method('buildETAUpdate', '', 'eta'),
    stepStarted: method('stepStarted', '', 'step'),
    stepFinished: method('stepFinished', '', 'step', '', 'result'),
    stepETAUpdate: method('stepETAUpdate', '', 'step', '', 'eta'),
    logStarted: method('logStarted', '', 'step', '', 'log'),
    logFinished: method('logFinished', '', 'step', '', 'log'),
    logChunk: method('logChunk', '', 'step', '', 'log', '', '', 'text'),
  })
}

/** What the arguments behind the builder are; '' for those that are not shown. */
type Field = '' | 'state' | 'result' | 'eta' | 'step' | 'log' | 'text'

function fieldsOf(fields: readonly Field[], values: readonly Value[]): Record<string, string | number> {
  const known = fields.flatMap((field, at): readonly (readonly [Field, string | number])[] => {
    const value = values[at]
    if (field === 'result') return [[field, resultOf(value)] as const]
    if (field === 'eta') return typeof value === 'number' ? [[field, value] as const] : []
    const text = textOf(value)
    return field === '' || text === undefined ? [] : [[field, text] as const]
  })
  return Object.fromEntries(known)
}

/** Old masters give a tuple, whose first is the number. */
function resultOf(value: Value | undefined): string {
  return (typeof value === 'number' ? RESULT_NUMBERS[value] : undefined) ?? 'unknown'
}

const numberOrNone = (value: Value): number | undefined => (typeof value === 'number' ? value : undefined)

/** In the columns of `eventLine`. Text of logs has a line each. */
export function remoteEventLines({ at, name, builder, number, ...rest }: RemoteEvent): readonly string[] {
  const { step, log, state, result, eta, text } = rest
  const about = number === undefined ? builder : `${builder}/${number}`
  const words = [step, log, state, result, eta === undefined ? undefined : `${Math.round(eta)} s left`]
  const line = (more?: string) =>
    [new Date(at).toISOString(), name, about, [...words, more].filter((word) => word !== undefined).join(' ')]
      .map((word) => oneLine(word))
      .join('  ')
      .trimEnd()
  return text === undefined ? [line()] : text.replace(/\n$/, '').split('\n').map(line)
}
