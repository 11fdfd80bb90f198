import { itemsOf, textOf, textsOf } from '../../../wire/pb/plain.ts'
import { RESULT_NUMBERS } from '../../../wire/pb/results.ts'
import { Referenceable, RemoteReference, type Value } from '../../../wire/pb/values.ts'

/** What came of one builder's build. */
export interface TryEnd {
  readonly builder: string
  readonly result: string
  readonly text: string
}

/** Seconds between two estimates. */
const INTERVAL = 20

/**
 * Follows the builds of a buildset to their ends. A build that is begun anew takes the place of the first. `say` is told what
 * happens meanwhile, by builder.
 */
export async function followTry(
  buildset: RemoteReference,
  say: (builder: string, what: string) => void,
): Promise<readonly TryEnd[]> {
  const requests = itemsOf(await buildset.call('getBuildRequests')).map((pair) => {
    const [name, request] = itemsOf(pair)
    return { builder: textOf(name) ?? '', request: request as RemoteReference }
  })
  return Promise.all(requests.map(({ builder, request }) => followRequest(builder, request, say)))
}

async function followRequest(
  builder: string,
  request: RemoteReference,
  say: (builder: string, what: string) => void,
): Promise<TryEnd> {
  const end = Promise.withResolvers<TryEnd>()
  let newest: RemoteReference | undefined
  let step = ''
  const begun = new Set<string>()

  function tellStep(name: string): void {
    step = name
    begun.add(name)
    say(builder, name)
  }

  /** Of those that began before the subscription was there. A master that cannot say it has told what it tells. */
  async function tellMissed(build: RemoteReference): Promise<void> {
    const steps = await build.call('getSteps').then(itemsOf, () => [])
    for (const one of steps) {
      const name = one instanceof RemoteReference ? await one.call('getName').then(textOf, () => null) : null
      if (name && !begun.has(name)) tellStep(name)
    }
  }

  async function follow(build: RemoteReference): Promise<void> {
    newest = build
    begun.clear()
    say(builder, 'begun')
    await build.call('subscribe', [client, INTERVAL])
    await tellMissed(build)
    await build.call('waitUntilFinished')
    if (newest !== build) return
    const result = await build.call('getResults')
    if (resultName(result) === 'retry' || newest !== build) return // the next one is told of
    const text = textsOf(await build.call('getText')).join(' ')
    end.resolve({ builder, result: resultName(result), text })
  }

  const client = new Referenceable({
    newbuild([build]) {
      if (!(build instanceof RemoteReference)) return null
      newest?.call('unsubscribe', [client]).catch(() => {}) // it may be gone already
      follow(build).catch((error: unknown) => {
        if (newest === build) end.reject(error)
      })
      return null
    },
    stepStarted([, , name]) {
      tellStep(textOf(name) ?? '')
      return null
    },
    stepFinished: () => null,
    buildETAUpdate([, , seconds]) {
      if (typeof seconds === 'number') say(builder, `${step === '' ? '' : `${step} `}[ETA ${Math.round(seconds)}s]`)
      return null
    },
  })
  await request.call('subscribe', [client])
  return end.promise
}

const resultName = (value: Value): string =>
  (typeof value === 'number' ? RESULT_NUMBERS[value] : undefined) ?? 'unknown'
