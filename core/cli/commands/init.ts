import { writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { Command } from 'commander'
import { CALLED } from '../called.ts'
import { clone } from '../init/clone.ts'
import { configText } from '../init/config-text.ts'
import { guessSteps } from '../init/guess-steps.ts'
import { parseRepoAddress } from '../init/repo-address.ts'
import { makeMasterDirectory } from '../master-directory.ts'
import { print } from '../output.ts'

/** Where the password of the repository is kept. */
const SECRET = 'git'

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
      const address = parseRepoAddress(repo)
      const { login } = address
      if (login !== undefined) process.title = 'boltbot' // else all users of this machine could read the password in its list of processes
      using cloned = await clone(address)
      const { repourl, branch, tree, folder } = cloned
      const guess = guessSteps(tree)
      const project = basename(repourl.replace(/[/\\]+$/, ''), '.git') || 'project'
      const config = join(folder, 'master.cfg.ts')
      writeFileSync(
        config,
        configText({
          project,
          repourl,
          branch,
          guess,
          login: login && { username: login.username, secret: SECRET },
        }),
      )
      const made = makeMasterDirectory(basedir, config, login && { [SECRET]: login.password })
      print(`The base directory "${made.path}" is made, for branch "${branch}" of ${repourl}.`)
      if (login !== undefined) print(`The password is in ${join(made.path, 'secrets', SECRET)}, and nowhere else.`)
      if (guess === undefined) print('No build file was known: its build only lists the files so far.')
      else print(`From ${guess.from}: ${guess.steps.map(({ command }) => command.join(' ')).join('; ')}.`)
      print(
        `Look at ${made.configFile}, then: ${CALLED} start '${made.path}' && ${CALLED} force full --basedir '${made.path}'`,
      )
    })
}
