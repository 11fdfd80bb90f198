import { Command } from 'commander'
import { openBasedir } from '../basedir.ts'
import { callMaster } from '../control-client.ts'
import { ago, print, printJson } from '../output.ts'
import { readPidFile } from '../pid-file.ts'

export function statusCommand(): Command {
  return new Command('status')
    .description('say whether a master or a slave runs; exit code 1 when it does not')
    .argument('<basedir>', 'made by "boltbot master" or "boltbot slave"')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  $ boltbot status ci')
    .action(async (given: string, { json }: { json?: true }) => {
      const { path, kind, pidFile } = openBasedir(given)
      const running = readPidFile(path, pidFile)
      const url = kind === 'master' && running ? await urlOf(path) : null
      const at = url === null ? '' : ` (${url})`
      if (json) printJson({ kind, path, running: running !== undefined, ...running, ...(url !== null && { url }) })
      else if (running)
        print(`The ${kind} in "${path}" runs: process ${running.pid}${at}, started ${ago(running.since)}.`)
      else print(`The ${kind} in "${path}" does not run.`)
      if (!running) process.exitCode = 1
    })
}

/** That it runs is to be said also of a master that does not answer, or not yet. */
const ANSWER_MS = 3000

async function urlOf(path: string): Promise<string | null> {
  const asked = callMaster<{ readonly url?: string | null }>(path, 'info', {}, () => {}, AbortSignal.timeout(ANSWER_MS))
  return (await asked.catch(() => null))?.url ?? null
}
