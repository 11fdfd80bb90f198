import { formatDuration, type PollerView } from 'boltbot/plugin-sdk'
import type { Command } from 'commander'
import { callMaster } from '../control-client.ts'
import { type LiveOptions, listCommand, liveCommand } from '../live-command.ts'
import { ago, oneLine, print, printJson, printTable, whoAmI } from '../output.ts'

export function pollersCommand(): Command {
  return listCommand('pollers', 'list pollers and how they fare', 'pollers').action(
    async ({ basedir, json }: LiveOptions) => {
      const pollers = await callMaster<readonly PollerView[]>(basedir, 'pollers', {})
      if (json) return printJson(pollers)
      if (pollers.length === 0) return print('The config has no pollers.')
      printTable(pollers.map(rowOf))
    },
  )
}

export function pollCommand(): Command {
  return liveCommand('poll', 'have a poller look now', "poll 'git https://git.example.org/hello.git'")
    .argument('<poller>', 'as "boltbot pollers" shows it, its plugin, or its repository')
    .action(async (poller: string, { basedir }: LiveOptions) => {
      const { polled } = await callMaster<{ polled: readonly string[] }>(basedir, 'poll', { poller, who: whoAmI() })
      for (const source of polled) print(`Poller "${oneLine(source)}" has polled.`)
    })
}

function rowOf({ source, state, lastPoll, lastGood, failures, error, next }: PollerView): readonly string[] {
  const when = next === null ? '' : `, next in ${formatDuration(Math.max(0, Math.round(next - Date.now())))}`
  const times = failures === 1 ? 'once' : `${failures} times`
  const good = lastGood === null ? 'was never good' : `was good ${ago(lastGood)}`
  const fares = error === null ? 'ok' : `failed ${times}, ${good}: ${oneLine(error)}`
  return [oneLine(source), state === 'waiting' ? `polled ${ago(lastPoll)}${when}` : state, fares]
}
