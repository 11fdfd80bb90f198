import { type BuildView, formatDuration, type Result } from 'boltbot/plugin-sdk'
import { oneLine } from '../output.ts'
import type { BuilderRow, Snapshot } from './state.ts'

/** What is on the screen beside the snapshot. */
export interface View {
  readonly columns: number
  readonly rows: number
  readonly now: number
  /** The chosen builder, by place. */
  readonly chosen: number
  /** A question to the person, or the answer to what they did. */
  readonly message: string
  readonly connected: boolean
  readonly color: boolean
}

const COLORS: Readonly<Record<Result | 'running' | 'none', string>> = {
  success: '30;42',
  skipped: '30;47',
  warnings: '30;43',
  failure: '97;41',
  exception: '97;45',
  retry: '30;46',
  cancelled: '97;100',
  running: '30;104',
  none: '90;100',
}
/** For terminals without colour. */
const SIGNS: Readonly<Record<Result | 'running' | 'none', string>> = {
  success: '+',
  skipped: '-',
  warnings: '!',
  failure: 'X',
  exception: '?',
  retry: 'r',
  cancelled: 'c',
  running: '*',
  none: '.',
}

/** The lines of the screen, each as wide as it at most; pure. */
export function draw(snapshot: Snapshot, view: View): readonly string[] {
  const { columns, rows } = view
  const pen = createPen(view.color)
  const { builders, slaves, waiting } = snapshot
  const head = `${pen.bold(cut(snapshot.project, 40))}  ${summary(snapshot)}`
  const lines = [line(columns, head, view.connected ? clockTime(view.now) : pen.paint('97;41', ' not connected '))]
  lines.push('')
  // Builders come first; queue and slaves get what room is left, at least a few lines each.
  const below = Math.min(waiting.length, 6) + Math.min(slaves.length, 6) + (waiting.length > 0 ? 2 : 0) + 2
  const room = Math.max(3, rows - 4 - below)
  const first = Math.max(0, Math.min(view.chosen - Math.floor(room / 2), builders.length - room))
  const width = Math.min(28, Math.max(8, ...builders.map(({ builder }) => builder.name.length)))
  for (const [i, row] of builders.entries())
    if (i >= first && i < first + room) lines.push(builderLine(row, i === view.chosen, width, view, pen))
  if (builders.length > room) lines.push(pen.faint(`  … ${builders.length} builders in all`))
  if (waiting.length > 0) {
    lines.push('', pen.bold('Waiting'))
    for (const { request, why } of waiting.slice(0, 6)) {
      const since = span(view.now - request.submittedAt)
      lines.push(
        `  ${request.id} ${cut(request.builder, width)} ${pen.faint(since)}  ${oneLine(why?.text ?? 'it is next')}`,
      )
    }
    if (waiting.length > 6) lines.push(pen.faint(`  … ${waiting.length - 6} more`))
  }
  lines.push('', pen.bold('Slaves'))
  const bots = slaves.slice(0, 6).map((slave) => {
    const look = slave.missing
      ? 'failure'
      : slave.state === 'detached'
        ? 'none'
        : slave.builds > 0
          ? 'running'
          : 'success'
    const state = slave.missing
      ? 'missing'
      : slave.paused
        ? 'paused'
        : slave.state === 'detached'
          ? 'not here'
          : slave.state
    return `  ${pen.box(look)} ${cut(slave.name, width).padEnd(width)} ${state}${slave.builds > 0 ? `, ${slave.builds}` : ''}`
  })
  lines.push(...bots)
  if (slaves.length > 6) lines.push(pen.faint(`  … ${slaves.length - 6} more`))
  const kept = lines.slice(0, rows - 1)
  while (kept.length < rows - 1) kept.push('')
  kept.push(
    view.message === ''
      ? pen.faint('↑↓ choose  f force  s stop  c cancel  l log  q quit')
      : pen.bold(oneLine(view.message)),
  )
  return kept.map((text) => clip(text, columns))
}

function builderLine({ builder, builds }: BuilderRow, chosen: boolean, width: number, view: View, pen: Pen): string {
  const running = builds.find((build) => build.finishedAt === null)
  const last = builds.find((build) => build.finishedAt !== null)
  const look = running ? 'running' : (builder.lastResult ?? 'none')
  const name = cut(builder.name, width).padEnd(width)
  const strip = builds
    .toReversed()
    .map((build) => pen.box(build.result ?? 'running', 1))
    .join('')
  const state = running
    ? `#${running.number} ${stepOf(running)} ${etaOf(running, view.now)}`
    : last
      ? `#${last.number} ${last.text.join(' ')} ${pen.faint(`${span(view.now - last.finishedAt!)} ago`)}`
      : builder.state === 'offline'
        ? 'no slave is here'
        : 'not built yet'
  const waits = builder.waiting > 0 ? pen.faint(` +${builder.waiting}`) : ''
  const pad = ' '.repeat(Math.max(0, 12 - builds.length))
  return `${chosen ? '▸' : ' '} ${pen.box(look)} ${chosen ? pen.bold(name) : name} ${pad}${strip}  ${oneLine(state)}${waits}`
}

function stepOf(build: BuildView): string {
  return build.steps.findLast((step) => step.finishedAt === null)?.text ?? 'starts'
}

/** `████░░░░ 2m left`. */
function etaOf({ startedAt, eta }: BuildView, now: number): string {
  if (eta === undefined) return span(now - startedAt)
  const share = Math.min(1, Math.max(0, (now - startedAt) / Math.max(1, eta.at - startedAt)))
  const full = Math.round(share * 10)
  const left = eta.at > now ? `${formatDuration(Math.ceil((eta.at - now) / 1000) * 1000)} left` : 'any moment'
  return `${'█'.repeat(full)}${'░'.repeat(10 - full)} ${left}`
}

function summary({ builders, waiting }: Snapshot): string {
  const bad = builders.filter(
    ({ builder: { lastResult } }) => lastResult === 'failure' || lastResult === 'exception',
  ).length
  const running = builders.reduce((sum, { builder }) => sum + builder.building.length, 0)
  const words = [
    bad > 0 && `${bad} red`,
    running > 0 && `${running} building`,
    waiting.length > 0 && `${waiting.length} waiting`,
  ]
  return words.filter((word) => word !== false).join(', ') || 'all quiet'
}

interface Pen {
  paint(code: string, text: string): string
  bold(text: string): string
  faint(text: string): string
  box(look: keyof typeof COLORS, size?: number): string
}

function createPen(color: boolean): Pen {
  const paint = (code: string, text: string) => (color ? `\u001b[${code}m${text}\u001b[0m` : text)
  return {
    paint,
    bold: (text) => paint('1', text),
    faint: (text) => paint('2', text),
    box: (look, size = 3) => paint(COLORS[look], size === 1 ? SIGNS[look] : ` ${SIGNS[look]} `),
  }
}

function line(columns: number, left: string, right: string): string {
  return `${left}${' '.repeat(Math.max(1, columns - lengthOf(left) - lengthOf(right)))}${right}`
}

const cut = (text: string, width: number) => {
  const plain = oneLine(text)
  return plain.length > width ? `${plain.slice(0, width - 1)}…` : plain
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const SEQUENCE = /\u001b\[[\d;]*m/g
const lengthOf = (text: string) => text.replace(SEQUENCE, '').length

/** At most so many characters; colours are no characters, and end with the line. */
function clip(text: string, columns: number): string {
  if (lengthOf(text) <= columns) return text
  let left = columns
  let kept = ''
  let at = 0
  for (const match of [...text.matchAll(SEQUENCE), { index: text.length, 0: '' }]) {
    const plain = text.slice(at, match.index).slice(0, left)
    left -= plain.length
    kept += plain + match[0]
    at = match.index + match[0].length
  }
  return kept
}

/** In whole seconds. */
const span = (ms: number) => formatDuration(Math.max(0, Math.floor(ms / 1000)) * 1000)

const clockTime = (ms: number) => new Date(ms).toTimeString().slice(0, 8)
