import {
  type BuilderView,
  type BuildView,
  type Change,
  type Eta,
  formatDuration,
  nameOf,
  verdict,
} from 'boltbot/plugin-sdk'

/** Builds and builders in the words of the chat: each a line, none longer than people read. */

/** Paths of pages, as the web plugin has them. */
export const pageOfBuild = ({ builder, number }: { readonly builder: string; readonly number: number }) =>
  `/builders/${encodeURIComponent(builder)}/builds/${number}`
export const pageOfSlave = (name: string) => `/slaves/${encodeURIComponent(name)}`

export const buildName = ({ builder, number }: { readonly builder: string; readonly number: number }) =>
  `${builder} #${number}`

/** @example span(90_000) // '1m30s' */
export const span = (ms: number) => (ms < 500 ? '0s' : formatDuration(Math.round(ms / 1000) * 1000))

/** `build full #12 runs on bot-1: compiling, done in about 5m`. */
export function runningLine(build: BuildView, now: number): string {
  const step = build.steps.findLast((one) => one.finishedAt === null)
  const doing = step === undefined ? '' : `: ${step.text || step.name}`
  return `build ${buildName(build)} runs on ${build.slave} since ${span(now - build.startedAt)}${doing}${etaOf(build, now)}`
}

export function etaOf({ eta }: { readonly eta?: Eta }, now: number): string {
  if (eta === undefined) return ''
  if (eta.at < now + 1000) return ', done any moment'
  return `, done in about ${span(eta.at - now)} (${span(eta.low - now)} to ${span(eta.high - now)})`
}

/** `build full #12 ended 5m ago: success`. */
export function endedLine(build: BuildView, now: number): string {
  const when = build.finishedAt === null ? '' : ` ${span(now - build.finishedAt)} ago`
  return `build ${buildName(build)} ended${when}: ${verdict(build)}`
}

/** `full: idle, last build #12 success, 2 wait`. */
export function builderLine(builder: BuilderView): string {
  const last =
    builder.lastBuild === null ? 'never built' : `last build #${builder.lastBuild} ${builder.lastResult ?? ''}`.trim()
  const waiting = builder.waiting === 0 ? '' : `, ${builder.waiting} waiting`
  return `${builder.name}: ${builder.state}, ${last}${waiting}`
}

/** `#12 jane main@1f2e3d: Mend the parser`. */
export function changeLine({ id, who, branch, revision, comments }: Change): string {
  const at = revision === null ? '' : `@${revision.slice(0, 12)}`
  const where = branch === null && at === '' ? '' : ` ${branch ?? 'default branch'}${at}`
  const first = comments.split('\n').find((line) => line.trim() !== '') ?? ''
  return `#${id} ${nameOf(who)}${where}: ${cut(first.trim(), 120)}`
}

export const cut = (text: string, length: number) => (text.length > length ? `${text.slice(0, length - 1)}…` : text)

/** Names on lines of some length: `a, b, c`. */
export function wrapNames(names: readonly string[], length = 380): string[] {
  const lines: string[] = []
  for (const name of names) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + name.length + 2 <= length) lines[lines.length - 1] = `${last}, ${name}`
    else lines.push(name)
  }
  return lines
}

/** What strangers typed, on one line and without what moves a terminal's cursor or paints in IRC. */
export function plain(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is replaced
  return text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ').trimEnd()
}
