import { formatDuration, type SlaveView } from 'boltbot/plugin-sdk'
import type { Command } from 'commander'
import { unknownSlave } from '../../errors.ts'
import { callMaster } from '../control-client.ts'
import { type LiveOptions, listCommand } from '../live-command.ts'
import { ago, oneLine, print, printJson, printTable } from '../output.ts'

export function slavesCommand(): Command {
  return listCommand('slaves', 'list slaves, or show what is known of one', 'slaves bot-1')
    .alias('workers')
    .argument('[slave]', 'its name')
    .action(async (name: string | undefined, { basedir, json }: LiveOptions) => {
      const all = await callMaster<readonly SlaveView[]>(basedir, 'slaves', {})
      const slaves = name === undefined ? all : all.filter((slave) => slave.name === name)
      if (name !== undefined && slaves.length === 0)
        throw unknownSlave(
          name,
          all.map((slave) => slave.name),
        )
      if (json) return printJson(name === undefined ? slaves : slaves[0])
      if (name === undefined) printTable(slaves.map(rowOf))
      else for (const slave of slaves) printTable(factsOf(slave))
      if (slaves.length === 0) print('There are no slaves.')
    })
}

function rowOf(slave: SlaveView): readonly string[] {
  const { name, lastHeard, builders } = slave
  return [name, standingOf(slave), loadOf(slave), `heard ${ago(lastHeard)}`, builders.join(', ')]
}

function factsOf(slave: SlaveView): readonly (readonly string[])[] {
  const { name, connectedAt, absentSince, lastHeard, admin, host, version, builders, notifyOnMissing } = slave
  const facts: readonly (readonly [string, string])[] = [
    ['slave', name],
    ['state', standingOf(slave)],
    ['builds', loadOf(slave)],
    connectedAt === null ? ['absent since', timeOf(absentSince)] : ['connected since', timeOf(connectedAt)],
    ['last heard of', timeOf(lastHeard)],
    ['admin', oneLine(admin ?? '')],
    ['host', oneLine(host ?? '')],
    ['program', oneLine(version ?? '')],
    ['builders', builders.join(', ')],
    ['told when missing', notifyOnMissing.join(', ')],
  ]
  return facts.map(([what, is]) => [what, is === '' ? '-' : is])
}

/** `idle`, `detached, missing`, `building, paused by ann: disk full`. */
function standingOf({ state, missing, paused, away, leaving }: SlaveView): string {
  const notes = [
    missing && 'missing',
    away && `away until ${new Date(away.until).toISOString()}${because(away.reason)}`,
    paused && `paused by ${paused.by}${because(paused.reason)}`,
    leaving && 'exits when it has finished',
  ]
  return [state, ...notes.flatMap((note) => note || [])].join(', ')
}

const loadOf = ({ builds, maxBuilds }: SlaveView) =>
  maxBuilds === null ? `${builds} ${builds === 1 ? 'build' : 'builds'}` : `${builds} of ${maxBuilds} builds`

const timeOf = (at: number | null) =>
  at === null ? 'never' : `${new Date(at).toISOString()} (${formatDuration(Math.max(0, Date.now() - at))} ago)`

const because = (reason: string) => (reason === '' ? '' : `: ${oneLine(reason)}`)
