import { Command } from 'commander'
import { openMasterBasedir } from '../basedir.ts'
import { callMaster } from '../control-client.ts'
import { print, whoAmI } from '../output.ts'

export function reconfigCommand(): Command {
  return new Command('reconfig')
    .alias('sighup')
    .description('have a running master read its config again; a config with problems changes nothing')
    .argument('<basedir>', 'made by "boltbot master"')
    .addHelpText('after', '\nExample:\n  $ boltbot reconfig ci')
    .action(async (basedir: string) => {
      const { changed } = await callMaster<{ changed: readonly string[] }>(
        openMasterBasedir(basedir).path,
        'reconfig',
        {
          who: whoAmI(),
        },
      )
      print(changed.length === 0 ? 'The config is in force; nothing changed.' : 'The new config is in force:')
      for (const line of changed) print(`  ${line}`)
    })
}
