import { formatDuration } from 'boltbot/plugin-sdk'
import type { Letter } from './state.ts'

export interface Page {
  readonly subject: string
  readonly text: string
}

export interface Facts {
  readonly now: number
  readonly project: { readonly name: string; readonly url: string | null }
  /** Builders that no slave can build now. */
  readonly idle: readonly string[]
  /** Where a slave is shown; `null`: nowhere. */
  readonly pageOf: (slave: string) => string | null
}

/** What people read. */
export function write({ kind, slaves }: Letter, { now, project, idle, pageOf }: Facts): Page {
  const names = slaves.map(({ name }) => line(name))
  const one = names.length === 1
  const are = `${one ? `slave ${names[0]} is` : `${names.length} slaves are`} ${STATES[kind]}`
  const listed = one ? '' : `: ${names.slice(0, 5).join(', ')}${names.length > 5 ? ', …' : ''}`
  const parts = [
    `${one ? `The slave "${names[0]}"` : `${names.length} slaves`} of ${line(project.name)} ${one ? 'is' : 'are'} ${STATES[kind]}.`,
    ...slaves.map((slave) => aboutOne(slave, kind, now, pageOf(slave.name))),
  ]
  if (kind !== 'back') {
    if (idle.length > 0) parts.push(`Nothing can be built by: ${idle.map(line).join(', ')}.`)
    const example = one ? names[0] : 'NAME'
    parts.push(
      `Start ${one ? 'it' : 'them'} again where ${one ? 'it lives' : 'they live'}: boltbot start BASEDIR\n` +
        `If ${one ? 'it is' : 'they are'} away on purpose: boltbot away ${example} 2h "reason"`,
    )
  }
  parts.push(`-- \n${line(project.name)}${project.url === null ? '' : `, ${project.url}`}`)
  return { subject: `[${line(project.name)}] ${are}${listed}`, text: `${parts.join('\n\n')}\n` }
}

const STATES = { missing: 'missing', still: 'still missing', back: 'back' } as const

function aboutOne(slave: Letter['slaves'][number], kind: Letter['kind'], now: number, page: string | null): string {
  const { name, since, lastHeard, admin, host, reason, running, losses, backSince } = slave
  const rows: readonly (readonly [string, string | null])[] = [
    ['slave', line(name)],
    ['page', page],
    [reason === null ? 'away since' : 'wanted since', time(since, now)],
    ['back since', backSince === null ? null : time(backSince, now)],
    ['did not start', reason === null || kind === 'back' ? null : line(reason)],
    ['last heard of', lastHeard === null ? 'never' : time(lastHeard, now)],
    ['admin', admin === null ? null : line(admin)],
    ['host', host === null ? null : line(host)],
    ['was building', running.map(({ builder, number }) => `${line(builder)} #${number}`).join(', ')],
    ['lost', losses < 3 || reason !== null ? null : `${losses} times in the last day`],
  ]
  return rows.flatMap(([what, is]) => (is === null || is === '' ? [] : [`  ${what.padEnd(14)} ${is}`])).join('\n')
}

const time = (at: number, now: number) =>
  `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC (${formatDuration(Math.max(0, now - at))} ago)`

/** What slaves and their people typed, on one line and without what could forge another. */
function line(text: string): string {
  const clean = text
    .slice(0, 800)
    .replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ')
    .trim()
  return clean.length > 200 ? `${clean.slice(0, 199)}…` : clean
}
