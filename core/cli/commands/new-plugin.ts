import { Command } from 'commander'
import { badArgument } from '../errors.ts'
import { print } from '../output.ts'
import { makePluginFolder, PLUGIN_KINDS } from '../plugin-folder.ts'

export function newPluginCommand(): Command {
  return new Command('new-plugin')
    .description('make a plugin of your own to begin with: code, a test that passes, a README')
    .argument('<name>', 'in lower case: release-feed')
    .requiredOption('--kind <kind>', PLUGIN_KINDS.join(', '))
    .option('--package', 'an npm package of its own, not a folder beside the config')
    .addHelpText('after', '\nExample:\n  $ boltbot new-plugin lamp --kind status')
    .action((name: string, options: { kind: string; package?: true }) => {
      const kind = PLUGIN_KINDS.find((one) => one === options.kind)
      if (kind === undefined) throw badArgument('kind', options.kind, `one of ${PLUGIN_KINDS.join(', ')}`)
      const made = makePluginFolder({ name, kind, inPackage: options.package === true })
      print(`The plugin is in "${made.folder}":`)
      for (const file of made.files) print(`  ${file}`)
      print(`Its test:\n  ${made.test}\nIn master.cfg.ts:\n  ${made.use.join('\n  ')}`)
    })
}
