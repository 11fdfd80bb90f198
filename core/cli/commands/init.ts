import { writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { Command } from 'commander'
import { clone } from '../init/clone.ts'
import { configText } from '../init/config-text.ts'
import { guessSteps } from '../init/guess-steps.ts'
import { makeMasterDirectory } from '../master-directory.ts'
import { print } from '../output.ts'

export function initCommand(): Command {
  return new Command('init')
    .description('make the base directory of a master for a git repository, with a first config that builds it')
    .argument('<basedir>', 'a folder that is new, or has no master yet')
    .requiredOption('--repo <url>', 'the repository: a URL or a path')
    .addHelpText(
      'after',
      '\nExample:\n  $ boltbot init ci --repo https://git.example.org/hello.git && boltbot start ci',
    )
    .action(async (basedir: string, { repo }: { repo: string }) => {
      using cloned = await clone(repo)
      const { repourl, branch, tree, folder } = cloned
      const guess = guessSteps(tree)
      const project = basename(repourl.replace(/[/\\]+$/, ''), '.git') || 'project'
      const config = join(folder, 'master.cfg.ts')
      writeFileSync(config, configText({ project, repourl, branch, guess }))
      const made = makeMasterDirectory(basedir, config)
      print(`The base directory "${made.path}" is made, for branch "${branch}" of ${repourl}.`)
      if (guess === undefined) print('No build file was known: its build only lists the files so far.')
      else print(`From ${guess.from}: ${guess.steps.map(({ command }) => command.join(' ')).join('; ')}.`)
      print(
        `Look at ${made.configFile}, then: boltbot start '${made.path}' && boltbot force full --basedir '${made.path}'`,
      )
    })
}
