import type { BuildNews } from './chat.ts'
import type { BuildFinished, BuildStarted } from './events.ts'
import type { BuildView } from './model.ts'
import type { Result } from './results.ts'

/**
 * A finished build in the words of the chat: what kinds of news it is, and a line about it. Kinds are empty when nobody is told.
 * @example const { kinds, text } = newsOfBuild(event) // of a buildFinished
 */
export function newsOfBuild(event: BuildFinished): { readonly kinds: readonly BuildNews[]; readonly text: string } {
  const { result, previousResult } = event
  const kinds: BuildNews[] = result === 'retry' ? [] : ['finished']
  if (result !== 'skipped' && result !== 'retry') kinds.push(result)
  const wasBad = isBad(previousResult)
  if (isBad(result) && !wasBad) kinds.push('problem')
  if ((result === 'success' || result === 'warnings') && wasBad) kinds.push('recovery')
  const change = kinds.includes('recovery') ? ', it is green again' : isBad(result) && wasBad ? ', still red' : ''
  const people = [...new Set(event.blamelist.map(nameOf))]
  const blame = isBad(result) && people.length > 0 ? ` Changes by ${people.slice(0, 8).join(', ')}.` : ''
  const branch = event.branch === null ? '' : ` of ${event.branch}`
  return {
    kinds,
    text: `build ${event.builder} #${event.number}${branch} has ended: ${verdict(event)}${change}.${blame}`,
  }
}

/**
 * The same of the start of a build.
 * @example const { kinds, text } = newsOfStart(event) // of a buildStarted
 */
export function newsOfStart({ builder, number, slave, reason }: BuildStarted): {
  readonly kinds: readonly BuildNews[]
  readonly text: string
} {
  return { kinds: ['started'], text: `build ${builder} #${number} has started on ${slave} (${reason})` }
}

/**
 * What failed, to tell one kind of failure from another: the result and the first step that was bad.
 * @example failureKind(build) // 'failure test'
 */
export function failureKind({ result, steps }: Pick<BuildView, 'result' | 'steps'>): string {
  return `${result} ${steps.find((step) => isBad(step.result))?.name ?? ''}`
}

/**
 * `failure (failed test)`.
 * @example verdict({ result: 'failure', text: ['failed test'] }) // 'failure (failed test)'
 */
export function verdict({
  result,
  text,
}: {
  readonly result: Result | null
  readonly text: readonly string[]
}): string {
  const said = text.join(' ')
  const word = result ?? 'running'
  return said === '' || result === 'success' ? word : `${word} (${said})`
}

/** The name in `Jane Doe <jane@example.org>`: addresses are not for channels. */
export const nameOf = (who: string) => who.replace(/\s*<[^<>]*>\s*$/, '').trim() || who

const isBad = (result: Result | null) => result === 'failure' || result === 'exception'
