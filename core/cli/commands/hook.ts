import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Command, Option } from 'commander'
import { badArgument } from '../errors.ts'
import { hookNoRepository } from '../hook/errors.ts'
import { installHook } from '../hook/install.ts'
import { openHookQueue } from '../hook/queue.ts'
import { ROOMS } from '../hook/rooms.ts'
import { drainWithin, type Place, runHook } from '../hook/run.ts'
import type { HookSettings } from '../hook/settings.ts'
import { collect } from '../live-command.ts'
import { print } from '../output.ts'

type Options = HookSettings & Place & { readonly install?: string; readonly background?: true }

export function hookCommand(): Command {
  return new Command('hook')
    .description('as a commit hook of a repository: tell a master elsewhere what was committed')
    .argument('<system>', `${Object.keys(ROOMS).join(', ')}; "flush" sends what waits in a repository`)
    .argument('[words...]', 'what the version control system gives its hook; of "flush": the repository')
    .option('--install <repository>', 'make it a hook of the repository; other options are kept in its settings')
    .option('--pb <host:port>', 'where a pbChangeSource listens')
    .option('--user <name>', 'its user; default change')
    .option('--passwd-file <file>', 'holds its password')
    .option('--passwd <password>', 'its password, which all users of the machine can read; better in a file')
    .option('--url <url>', 'the address of a webhook for plain changes')
    .option('--secret-file <file>', 'holds its secret')
    .addOption(new Option('--secret <secret>', 'its secret').hideHelp())
    .option('--repository <name>', 'what changes say of the repository; default: where it is here')
    .option('--project <name>', 'the project')
    .option('--codebase <name>', 'the codebase')
    .option('--category <name>', 'the category')
    .option('--revlink <url>', 'the page of a revision, which is put in for %s')
    .option('--branches <pattern>', 'only these branches, with * for anything; may be given several times', collect)
    .option('--tags <pattern>', 'these tags too (git); may be given several times', collect)
    .option('--branch <name>', 'what changes say of the branch (bzr, darcs)')
    .addOption(new Option('--layout <kind>', 'of the paths (svn)').choices(['plain', 'branches', 'projects']))
    .option('--folder <dir>', 'where what waits is kept; default: in the repository')
    .option('--timeout <seconds>', 'how long it takes at most; default 5, of "flush" 60', seconds)
    .addOption(new Option('--background', 'leaves it to another process that is at it').hideHelp())
    .addHelpText(
      'after',
      '\nExample:\n  $ boltbot hook git --install /srv/git/hello.git --pb ci.example.org:9989 --passwd-file /etc/boltbot-passwd',
    )
    .action(async (system: string, words: readonly string[], { install, folder, background, ...settings }: Options) => {
      const place = folder === undefined ? {} : { folder: resolve(folder) }
      if (system === 'flush') return flush(words, place, settings, background !== true)
      if (ROOMS[system] === undefined) throw badArgument('system', system, `flush, ${Object.keys(ROOMS).join(', ')}`)
      if (install === undefined) return runHook(system, words, { ...settings, ...place })
      for (const line of await installHook(system, resolve(install), { ...settings, ...place })) print(line)
    })
}

async function flush([path]: readonly string[], place: Place, given: HookSettings, isPatient: boolean): Promise<void> {
  const folder = place.folder ?? folderIn(resolve(path ?? '.'))
  const queue = openHookQueue(folder)
  const { sent, refused, problem } = await drainWithin(folder, queue, given, 60, isPatient)
  print(`${sent} sent, ${refused} refused${problem === null ? '' : `; the rest waits: ${problem}`}`)
  if (problem !== null) process.exitCode = 1
}

/** In a repository of any kind, or the folder itself. */
function folderIn(path: string): string {
  const places = ['.', 'boltbot', '.git/boltbot', '.hg/boltbot', '.bzr/boltbot', '_darcs/boltbot', 'CVSROOT/boltbot']
  const found = places.map((place) => join(path, place)).find((folder) => existsSync(join(folder, 'queue')))
  if (found === undefined) throw hookNoRepository(path, 'a kind that has a hook of Boltbot')
  return found
}

function seconds(text: string): number {
  const value = Number(text)
  if (!(value > 0) || value > 86_400) throw badArgument('--timeout', text, 'a number of seconds')
  return value
}
