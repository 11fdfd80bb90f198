import type { BuildsetSubmitted } from 'boltbot/plugin-sdk'
import type { Command } from 'commander'
import { callMaster } from '../control-client.ts'
import { collectProperty, type LiveOptions, listCommand, wholeNumber } from '../live-command.ts'
import { print, printJson, whoAmI } from '../output.ts'
import { waitForBuildset } from './wait-for.ts'

interface Options extends LiveOptions {
  readonly branch?: string
  readonly revision?: string
  readonly reason: string
  readonly prop?: Readonly<Record<string, unknown>>
  readonly priority?: number
  readonly wait?: true
}

export function forceCommand(): Command {
  return listCommand('force', 'start a build', "force full --branch main --reason 'after the move' --prop colour=red")
    .argument('<builder>')
    .option('--branch <name>', 'build this branch instead of the default one')
    .option('--revision <id>', 'build this revision instead of the newest')
    .option('--reason <text>', 'why, for those who see the build', 'forced')
    .option('--prop <name=value>', 'set a property; may be given several times', collectProperty)
    .option('--priority <number>', 'higher ones are built first', wholeNumber)
    .option('--wait', 'wait until it has ended; exit code 1 when it was not good')
    .action(async (builder: string, { basedir, json, prop, wait, ...order }: Options) => {
      const params = { builder, who: whoAmI(), ...order, ...(prop && { properties: prop }) }
      const submitted = await callMaster<BuildsetSubmitted>(basedir, 'force', params)
      if (json) return printJson(submitted)
      print(`Request ${submitted.requests.join(', ')} of "${builder}" is queued.`)
      if (submitted.warning !== null) print(`Mind: ${submitted.warning}.`)
      if (wait) await waitForBuildset(basedir, submitted.buildset)
    })
}
