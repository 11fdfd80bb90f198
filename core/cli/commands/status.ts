import { Command } from 'commander'
import { openBasedir } from '../basedir.ts'
import { ago, print, printJson } from '../output.ts'
import { readPidFile } from '../pid-file.ts'

export function statusCommand(): Command {
  return new Command('status')
    .description('say whether a master or a slave runs; exit code 1 when it does not')
    .argument('<basedir>', 'made by "boltbot master" or "boltbot slave"')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  $ boltbot status ci')
    .action((given: string, { json }: { json?: true }) => {
      const { path, kind, pidFile } = openBasedir(given)
      const running = readPidFile(path, pidFile)
      if (json) printJson({ kind, path, running: running !== undefined, ...running })
      else if (running) print(`The ${kind} in "${path}" runs: process ${running.pid}, started ${ago(running.since)}.`)
      else print(`The ${kind} in "${path}" does not run.`)
      if (!running) process.exitCode = 1
    })
}
