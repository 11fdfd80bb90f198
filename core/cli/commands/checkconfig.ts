import { accessSync, constants, existsSync, readdirSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { Command } from 'commander'
import { checkInFreshProcess } from '../../config/evaluate.ts'
import { CONFIG_NAMES } from '../../config/names.ts'
import { formatProblems } from '../../config/problem.ts'
import { readEnvironmentFile } from '../basedir.ts'
import { badArgument, fileUnreadable, notABasedir, notAMaster } from '../errors.ts'
import { print, printJson } from '../output.ts'

export function checkconfigCommand(): Command {
  return new Command('checkconfig')
    .description('check a config and show every problem in it')
    .argument('[path]', 'a config file or a base directory', '.')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  $ boltbot checkconfig ci/master.cfg.ts')
    .action(async (given: string, { json }: { json?: true }) => {
      const file = configFileOf(given)
      const { problems, walk, output } = await checkInFreshProcess(file, {
        environment: isDirectory(given) ? readEnvironmentFile(given) : {},
      })
      if (json) printJson({ file, problems, walk })
      else if (problems.length > 0) {
        process.stderr.write(`${formatProblems(problems, resolve('.'))}\n`)
        process.stderr.write(`${problems.length === 1 ? '1 problem' : `${problems.length} problems`} in ${file}\n`)
      } else {
        if (output !== '') print(output.trimEnd())
        print(`${file} is good.\n${walk.join('\n')}`)
      }
      if (problems.length > 0) process.exitCode = 1
    })
}

/** The file itself, or the config of a base directory. @throws CiError `BOLT_CLI_BASEDIR`, `BOLT_CLI_SLAVE`, `BOLT_CLI_FILE`. */
function configFileOf(given: string): string {
  const path = resolve(given)
  const file = isDirectory(path) ? findConfig(path) : path
  if (!isDirectory(path) && !/\.(?:ts|js|mjs)$/.test(path))
    throw badArgument('config', given, 'a .ts, .js or .mjs file, or a base directory')
  try {
    if (isDirectory(path) || existsSync(path)) accessSync(file, constants.R_OK)
  } catch (error) {
    throw fileUnreadable(file, error)
  }
  return file
}

const isDirectory = (path: string) => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true

function findConfig(directory: string): string {
  let names: readonly string[]
  try {
    names = readdirSync(directory)
  } catch (error) {
    throw fileUnreadable(directory, error)
  }
  const found = CONFIG_NAMES.find((name) => names.includes(name))
  if (found !== undefined) return resolve(directory, found)
  throw names.includes('slave.json') ? notAMaster(directory) : notABasedir(directory)
}
