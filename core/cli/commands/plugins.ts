import { formatDuration } from 'boltbot/plugin-sdk'
import type { Command } from 'commander'
import type { PluginStatus } from '../../host/plugin-scope.ts'
import { callMaster } from '../control-client.ts'
import { type LiveOptions, listCommand, liveCommand } from '../live-command.ts'
import { print, printJson, printTable } from '../output.ts'

export function pluginsCommand(): Command {
  return listCommand('plugins', 'list plugins and how they fare', 'plugins')
    .action(async ({ basedir, json }: LiveOptions) => {
      const plugins = await callMaster<readonly PluginStatus[]>(basedir, 'plugins', {})
      if (json) return printJson(plugins)
      printTable(plugins.map(rowOf))
    })
    .addCommand(resumeCommand())
}

function resumeCommand(): Command {
  return liveCommand('resume', 'call a plugin again that was suspended, as it failed too often', 'plugins resume lamp')
    .argument('<id>', 'as "boltbot plugins" shows it')
    .action(async (id: string, _options, command: Command) => {
      const { basedir } = command.optsWithGlobals<LiveOptions>()
      await callMaster(basedir, 'resume-plugin', { id })
      print(`"${id}" is called again.`)
    })
}

function rowOf({ id, kind, state, calls, spentMs, errors, depth, suspended, taps }: PluginStatus): readonly string[] {
  const count = (amount: number, what: string) => `${amount} ${what}${amount === 1 ? '' : 's'}`
  const waiting = depth > 0 ? `, ${depth} ${depth === 1 ? 'waits' : 'wait'}` : ''
  const fares =
    taps.length === 0 && errors === 0
      ? ''
      : `${count(calls, 'call')} in ${formatDuration(spentMs)}, ${count(errors, 'error')}${waiting}`
  return [id, kind, suspended ? 'suspended' : state, fares, taps.join(', ')]
}
