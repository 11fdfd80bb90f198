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
      printTable([HEADERS, ...plugins.map(rowOf)])
    })
    .addCommand(resumeCommand())
}

function resumeCommand(): Command {
  return liveCommand(
    'resume',
    'call a plugin again that was suspended, as it failed too often or ran away',
    'plugins resume lamp',
  )
    .argument('<id>', 'as "boltbot plugins" shows it')
    .action(async (id: string, _options, command: Command) => {
      const { basedir } = command.optsWithGlobals<LiveOptions>()
      await callMaster(basedir, 'resume-plugin', { id })
      print(`"${id}" is called again.`)
    })
}

const HEADERS = ['ID', 'KIND', 'VERSION', 'STATE', 'CALLS', 'TIME', 'ERRORS', 'WAITING', 'NEEDS', 'TAPS']

function rowOf(plugin: PluginStatus): readonly string[] {
  const { id, kind, version, calls, spentMs, errors, depth, dropped, needs, taps } = plugin
  const waiting = `${depth}${dropped > 0 ? ` (${dropped} dropped)` : ''}`
  const cells = [id, kind, version ?? '-', stateOf(plugin), `${calls}`, formatDuration(spentMs), `${errors}`, waiting]
  return [...cells, needs.join(', ') || '-', taps.join(', ') || '-']
}

/** `running`, `suspended, in a worker, cut off 3 times`, `running, stuck at event 7 after 2 tries`. */
function stateOf({ state, suspended, durable, isolation, restarts, stuck }: PluginStatus): string {
  const parts = [suspended ? 'suspended' : state]
  if (durable) parts.push('durable')
  if (isolation === 'worker') parts.push('in a worker')
  if (restarts > 0) parts.push(`cut off ${restarts === 1 ? 'once' : `${restarts} times`}`)
  if (stuck)
    parts.push(`stuck at event ${stuck.event} after ${stuck.failures === 1 ? 'a try' : `${stuck.failures} tries`}`)
  return parts.join(', ')
}
