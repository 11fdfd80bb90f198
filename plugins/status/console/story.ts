import { formatDuration, type Host } from 'boltbot/plugin-sdk'
import type { Painter } from './painter.ts'
import { plainText } from './plain-text.ts'
import type { Printer } from './printer.ts'

/** Taps what is told, a line each, in the order of the walk. */
export function tellStory(host: Host, printer: Printer, painter: Painter): void {
  const { line } = printer
  const text = plainText
  /** When the steps that run were started, by build and number. */
  const started = new Map<string, number>()
  const lasted = (from: number | undefined, to: number) =>
    from === undefined ? '' : painter.faint(`, ${formatDuration(Math.max(0, to - from))}`)
  const build = (of: { readonly builder: string; readonly number: number }) =>
    painter.strong(`${text(of.builder)} #${of.number}`)

  host.tap('changeAccepted', ({ at, change }) => {
    const { id, branch, revision, who, comments, files } = change
    const place = [branch, shortRevision(revision)].filter((part) => part !== null).join(' ')
    const [first = ''] = comments.trimStart().split('\n')
    line(
      at,
      'change',
      `${painter.strong(`${id}`)} ${text(place)} by ${text(who)}: ${text(first)} ${painter.faint(`(${amount(files.length, 'file')})`)}`,
    )
  })
  host.tap('sourceFailing', ({ at, source, error, failures }) => {
    const times = failures === 1 ? '' : `, ${failures} times in a row`
    line(at, 'source', painter.result('failure', `${text(source)} fails${times}: ${text(error, 500)}`))
  })
  host.tap('buildsetCreated', ({ at, buildset, builders, reason, changes }) => {
    const of = changes.length === 0 ? '' : ` (${amount(changes.length, 'change')})`
    line(at, 'buildset', `${buildset} for ${builders.map((name) => text(name)).join(', ')}: ${text(reason)}${of}`)
  })
  host.tap('requestQueued', ({ at, request, builder, cause, reason }) => {
    line(at, 'request', `${request} for ${text(builder)} waits${cause === 'retry' ? ` again: ${text(reason)}` : ''}`)
  })
  host.tap('requestCancelled', ({ at, request, builder, who, reason }) => {
    line(
      at,
      'request',
      painter.result('cancelled', `${request} for ${text(builder)} cancelled by ${text(who)}: ${text(reason)}`),
    )
  })
  host.tap('buildStarted', (event) => {
    const { at, slave, branch, revision, reason } = event
    const source = [branch, shortRevision(revision)].filter((part) => part !== null).join(' ') || 'newest sources'
    line(at, 'build', `${build(event)} on ${text(slave)}: ${text(source)}, ${text(reason)}`)
  })
  host.tap('stepStarted', (event) => {
    started.set(`${event.build} ${event.step}`, event.at)
    line(event.at, 'step', `${build(event)} ${painter.faint(`${text(event.text)} …`)}`)
  })
  host.tap('stepFinished', (event) => {
    const { at, result, step } = event
    const key = `${event.build} ${step}`
    line(at, 'step', `${build(event)} ${painter.result(result, text(event.text))}${lasted(started.get(key), at)}`)
    started.delete(key)
  })
  host.tap('buildFinished', (event) => {
    const { at, result, blamelist, startedAt } = event
    const blamed = result === 'failure' && blamelist.length > 0 ? `, blamed: ${text(blamelist.join(', '))}` : ''
    line(
      at,
      'result',
      `${build(event)} ${painter.result(result, `${result}: ${text(event.text.join(' ')) || 'done'}`)}${lasted(startedAt, at)}${blamed}`,
    )
    for (const key of started.keys()) if (key.startsWith(`${event.build} `)) started.delete(key)
  })
  host.tap('slaveConnected', ({ at, slave, peer }) => line(at, 'slave', `${text(slave)} attached from ${text(peer)}`))
  host.tap('slaveLost', ({ at, slave, reason }) => {
    line(at, 'slave', painter.result('warnings', `${text(slave)} lost: ${text(reason)}`))
  })
  host.tap('configApplied', ({ at, changes }) => {
    for (const change of changes) line(at, 'config', text(change))
  })
  host.tap('configRejected', ({ at, problems }) => {
    line(at, 'config', painter.result('failure', `rejected, ${amount(problems.length, 'problem')}; the old one stays`))
    for (const problem of problems) line(at, 'config', text(problem, 500))
  })
}

/** Twelve characters of a hash; other revisions as they are. */
function shortRevision(revision: string | null): string | null {
  return revision !== null && /^[0-9a-f]{40,64}$/.test(revision) ? revision.slice(0, 12) : revision
}

function amount(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
