import { Command } from 'commander'
import { openMasterBasedir } from '../basedir.ts'
import { callMaster } from '../control-client.ts'
import { wholeNumber } from '../live-command.ts'
import { print, whoAmI } from '../output.ts'
import { askPlan, printPlan } from './plan.ts'

interface Changed {
  readonly changed: readonly string[]
}

export function reconfigCommand(): Command {
  return new Command('reconfig')
    .alias('sighup')
    .description('have a running master read its config again; a config with problems changes nothing')
    .argument('<basedir>', 'made by "boltbot master"')
    .addHelpText('after', '\nExample:\n  $ boltbot reconfig ci')
    .option(
      '--changes <count>',
      'replay so many of the last changes under the old and the new config',
      wholeNumber,
      100,
    )
    .action(async (given: string, { changes }: { readonly changes: number }) => {
      const basedir = openMasterBasedir(given).path
      // A config with problems has no plan: the reconfigure says what is wrong, to status targets too.
      const plan = await askPlan(basedir, changes).catch(() => undefined)
      const isPlanned = plan !== undefined && plan.changed.length + plan.plugins.length > 0
      if (isPlanned) printPlan(plan)
      const { changed } = await callMaster<Changed>(basedir, 'reconfig', { who: whoAmI() }).catch((error: unknown) => {
        if (isPlanned) print('Nothing of this is in force, the old config stays:')
        throw error
      })
      print(changed.length === 0 ? 'The config is in force; nothing changed.' : 'The new config is in force:')
      for (const line of changed) print(`  ${line}`)
    })
}
