import type { SlaveView } from 'boltbot/plugin-sdk'
import type { Command } from 'commander'
import { callMaster } from '../control-client.ts'
import { type LiveOptions, listCommand } from '../live-command.ts'
import { ago, printJson, printTable } from '../output.ts'

export function slavesCommand(): Command {
  return listCommand('slaves', 'list slaves', 'slaves')
    .alias('workers')
    .action(async ({ basedir, json }: LiveOptions) => {
      const slaves = await callMaster<readonly SlaveView[]>(basedir, 'slaves', {})
      if (json) return printJson(slaves)
      printTable(slaves.map(rowOf))
    })
}

function rowOf({ name, state, builds, maxBuilds, lastHeard, builders }: SlaveView): readonly string[] {
  const load = maxBuilds === null ? `${builds} builds` : `${builds} of ${maxBuilds} builds`
  return [name, state, load, `heard ${ago(lastHeard)}`, builders.join(', ')]
}
