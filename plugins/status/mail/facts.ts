import type { BuildFinished, BuildView, Host } from 'boltbot/plugin-sdk'
import type { Told } from './streaks.ts'

/** All a mail is made from. */
export interface Facts {
  readonly project: string
  readonly projectURL: string | null
  readonly event: BuildFinished
  /** `undefined` when the build was deleted meanwhile. */
  readonly build: BuildView | undefined
  readonly failing: FailingStep | undefined
  readonly told: Told
  /** The page of the build; `null`: there are no pages. */
  readonly buildURL: string | null
  /** Who gets it beside the blamelist, and why: `ann (owns docs/**)`. */
  readonly alsoTold: readonly string[]
  /** Who should and does not, and why. */
  readonly untold: readonly string[]
}

/** All but whom it goes to. */
export type BareFacts = Omit<Facts, 'alsoTold' | 'untold'>

/** The first step that failed, and how its log ends. */
export interface FailingStep {
  readonly number: number
  readonly name: string
  readonly text: string
  readonly log: string
  readonly tail: string
  /** Where the whole log is shown; `null`: there are no pages. */
  readonly page: string | null
}

export type FactsHost = Pick<Host, 'query' | 'http'>

/** `told` is decided meanwhile, as it asks for the step that failed. */
export async function factsOf(
  host: FactsHost,
  event: BuildFinished,
  tell: (kind: string) => Promise<Told>,
): Promise<BareFacts> {
  const { name: project, url: projectURL } = host.query.project()
  const build = await host.query.build(event.build)
  const failing = await failingStep(host, event, build)
  const told = await tell(`${event.result} ${failing?.name ?? ''}`)
  return { project, projectURL, event, build, failing, told, buildURL: pageOf(host, event.builder, event.number) }
}

async function failingStep(
  host: FactsHost,
  { build, builder, number: ofBuild, result }: BuildFinished,
  view: BuildView | undefined,
): Promise<FailingStep | undefined> {
  const bad = result === 'warnings' ? ['warnings'] : ['failure', 'exception']
  const step = view?.steps.find((one) => one.result !== null && bad.includes(one.result))
  if (step === undefined || result === 'success') return undefined
  const { number, name, text, logs } = step
  const log = logs.includes('stdio') ? 'stdio' : (logs[0] ?? 'stdio')
  const tail = await host.query.logTail({ build, step: number, log }, 30)
  const page = pageOf(host, builder, ofBuild, `/steps/${number}/logs/${encodeURIComponent(log)}`)
  return { number, name, text, log, tail, page }
}

/** Where a build, or what is `below` it, is shown; `null`: there are no pages. */
export function pageOf({ http }: Pick<Host, 'http'>, builder: string, number: number, below = ''): string | null {
  return http.page(`/builders/${encodeURIComponent(builder)}/builds/${number}${below}`)
}
