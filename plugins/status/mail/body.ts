import { type Change, formatDuration, type Result } from 'boltbot/plugin-sdk'
import type { Facts, FailingStep } from './facts.ts'
import { fold, logLines, oneLine, wrap } from './plain-text.ts'

export const MAX_CHANGES = 20
const MAX_FILES = 10
const MAX_COMMENT_LINES = 10
const MAX_LOG_LINES = 30

/** The text of the mail, 78 columns wide. */
export function bodyOf(facts: Facts): string {
  const { event, failing, build } = facts
  const parts = [
    wrap(summary(facts)),
    linkTo(facts),
    overview(facts),
    failing === undefined ? [] : failingStep(failing),
    changeList(build?.changes ?? [], event.changes.length),
    nextStep(facts),
    ['--', ...wrap(`Boltbot of ${facts.project}${facts.projectURL === null ? '' : `, ${facts.projectURL}`}`)],
  ]
  const text = parts.filter((part) => part.length > 0).map((part) => part.join('\n'))
  return `${text.join('\n\n')}\n`
}

/** The first sentence: what came of it, and how that stands to what was. */
export function summary({ project, event, told }: Facts): string {
  const { builder, number, result, previousResult } = event
  const before =
    previousResult !== null && previousResult !== result ? `, the build before ${SAID[previousResult]}` : ''
  const since = told.streak === null || told.streak.since === null ? '' : ` since #${told.streak.since}`
  const note =
    told.standing === 'still failing'
      ? ` It has failed${since}.`
      : told.standing === 'new kind of failure'
        ? ` It has failed${since}, and now in another way.`
        : told.standing === 'fixed'
          ? ` It had failed${since}.`
          : ''
  return oneLine(`Build #${number} of "${builder}" of ${project} ${SAID[result]}${before}.${note}`, 500)
}

function linkTo({ buildURL }: Facts): readonly string[] {
  return buildURL === null ? [] : [buildURL]
}

const SAID: Readonly<Record<Result, string>> = {
  success: 'was a success',
  skipped: 'was skipped',
  warnings: 'had warnings',
  failure: 'failed',
  exception: 'ended with an exception: Boltbot or a slave had a problem',
  retry: 'is tried again',
  cancelled: 'was cancelled',
}

function overview(facts: Facts): readonly string[] {
  return rowsOf(facts).flatMap(([name, value]) => {
    const [first = '', ...more] = wrap(oneLine(value, 1000), ' '.repeat(11))
    return [`${name}:`.padEnd(11) + first.trimStart(), ...more]
  })
}

/** The facts of the build, a line each. */
export function rowsOf({ event, build, alsoTold, untold }: Facts): readonly (readonly [name: string, value: string])[] {
  const revision = build?.properties.got_revision?.value ?? event.revision
  const rows: readonly (readonly [string, string | null])[] = [
    ['Result', event.text.length === 0 ? event.result : `${event.result} (${event.text.join(' ')})`],
    ['Builder', `${event.builder} #${event.number}`],
    ['Slave', event.slave],
    ['Reason', event.reason],
    ['Branch', event.branch],
    ['Revision', typeof revision === 'string' ? revision : null],
    ['Took', formatDuration(event.at - event.startedAt)],
    ['Blamelist', event.blamelist.length === 0 ? 'nobody' : event.blamelist.join(', ')],
    ['Also told', alsoTold.length === 0 ? null : alsoTold.join(', ')],
    ['Not told', untold.length === 0 ? null : untold.join(', ')],
  ]
  return rows.flatMap(([name, value]) => (value === null ? [] : [[name, value] as const]))
}

function failingStep({ number, name, text, log, tail }: FailingStep): readonly string[] {
  const title = wrap(oneLine(`The first step that failed is "${name}" (step ${number}): ${text}.`, 500))
  const lines = logLines(tail.replace(/\s+$/, '')).slice(-MAX_LOG_LINES)
  if (lines.every((line) => line === '')) return title
  const folded = lines.flatMap((line) => fold(line.slice(0, 1000), '  '))
  return [...title, `Its log "${oneLine(log, 60)}" ends with:`, '', ...folded]
}

function changeList(changes: readonly Change[], total: number): readonly string[] {
  if (total === 0) return []
  const shown = changes.slice(-MAX_CHANGES)
  if (shown.length === 0) return [`Changes in this build: ${total}, no longer kept by the master.`]
  const left = total - shown.length
  const more = left <= 0 ? [] : ['', `  and ${left} earlier`]
  return ['Changes in this build:', ...shown.flatMap((change) => ['', ...changeText(change)]), ...more]
}

function changeText({ revision, who, when, comments, files, revlink }: Change): readonly string[] {
  const title = `${revision ?? 'a change'} by ${who}, ${new Date(when).toISOString().slice(0, 16).replace('T', ' ')} UTC`
  const words = logLines(comments.trim()).slice(0, MAX_COMMENT_LINES)
  const names = files.slice(0, MAX_FILES).map((file) => oneLine(file, 200))
  const rest = files.length > MAX_FILES ? ` and ${files.length - MAX_FILES} more` : ''
  return [
    ...wrap(oneLine(title, 500), '  '),
    ...(revlink === null ? [] : [`  ${oneLine(revlink, 500)}`]),
    ...words.flatMap((line) => (line === '' ? [] : wrap(line.slice(0, 1000), '      '))),
    ...(files.length === 0 ? [] : wrap(`files: ${names.join(', ')}${rest}`, '    ')),
  ]
}

/** What the reader can do now: sentences, an empty line, and a command or an address that is indented. */
export function nextStep({ event, failing }: Facts): readonly string[] {
  const name = shellWord(event.builder)
  // Few readers have an account on the master's machine, where the command is of use.
  const wholeLog = failing?.page
    ? ['The whole log:', `    ${failing.page}`]
    : [
        "The whole log, on the master's machine:",
        `    boltbot log ${shellWord(`${event.builder}/${event.number}`)} ${shellWord(failing?.name ?? '0')}`,
      ]
  const again = `    boltbot force ${name}${event.branch === null ? '' : ` --branch ${shellWord(event.branch)}`}`
  switch (event.result) {
    case 'failure': {
      const whose =
        event.changes.length === 0
          ? 'Look at the failing step.'
          : 'If your change is in the list: look at the failing step, and fix or revert it.'
      return [...wrap(`${whose} ${wholeLog[0]}`), '', wholeLog[1]!]
    }
    case 'exception':
      return [...wrap('This is no verdict on the changes. To build again when the cause is gone:'), '', again]
    case 'cancelled':
      return ['It says nothing about the changes. To build again:', '', again]
    case 'warnings':
      return failing === undefined ? [] : [wholeLog[0]!, '', wholeLog[1]!]
    default:
      return []
  }
}

/** A name as one word of a command that the reader may paste. */
function shellWord(text: string): string {
  const word = oneLine(text, 200)
  return /^[\w./:@+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}
