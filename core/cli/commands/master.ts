import { Command } from 'commander'
import { CALLED } from '../called.ts'
import { makeMasterDirectory } from '../master-directory.ts'
import { print } from '../output.ts'

export function masterCommand(): Command {
  return new Command('master')
    .description('make the base directory of a master')
    .argument('<basedir>', 'a folder that is new, or has no master yet')
    .option('--config <file>', 'take this config instead of a small example')
    .addHelpText('after', '\nExample:\n  $ boltbot master ci\n  $ boltbot master ci --config ~/hello.cfg.ts')
    .action((basedir: string, { config }: { config?: string }) => {
      const { path, configFile } = makeMasterDirectory(basedir, config)
      print(`The base directory "${path}" is made.`)
      print(`Look at ${configFile}, then: ${CALLED} checkconfig '${path}' && ${CALLED} start '${path}'`)
    })
}
