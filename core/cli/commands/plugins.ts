import type { Command } from 'commander'
import type { PluginStatus } from '../../host/plugin-scope.ts'
import { callMaster } from '../control-client.ts'
import { type LiveOptions, listCommand } from '../live-command.ts'
import { printJson, printTable } from '../output.ts'

export function pluginsCommand(): Command {
  return listCommand('plugins', 'list plugins and how they fare', 'plugins').action(
    async ({ basedir, json }: LiveOptions) => {
      const plugins = await callMaster<readonly PluginStatus[]>(basedir, 'plugins', {})
      if (json) return printJson(plugins)
      printTable(plugins.map(rowOf))
    },
  )
}

function rowOf({ id, kind, state, calls, errors, depth, suspended, taps }: PluginStatus): readonly string[] {
  const count = (amount: number, what: string) => `${amount} ${what}${amount === 1 ? '' : 's'}`
  const waiting = depth > 0 ? `, ${depth} ${depth === 1 ? 'waits' : 'wait'}` : ''
  const fares = taps.length === 0 && errors === 0 ? '' : `${count(calls, 'call')}, ${count(errors, 'error')}${waiting}`
  return [id, kind, suspended ? 'suspended' : state, fares, taps.join(', ')]
}
