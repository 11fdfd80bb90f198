import type { Command } from 'commander'
import type { LogItem } from '../../control/methods.ts'
import { callMaster } from '../control-client.ts'
import { type LiveOptions, liveCommand } from '../live-command.ts'

interface Options extends LiveOptions {
  readonly follow?: true
  readonly log: string
  readonly headers?: true
}

export function logCommand(): Command {
  return liveCommand('log', 'print what a step printed', 'log full/12 compile --follow')
    .argument('<build>', 'builder and number (full/12), or the id of a build')
    .argument('<step>', 'name or number of a step')
    .option('--follow', 'go on until the step is done')
    .option('--log <name>', 'another log of the step', 'stdio')
    .option('--headers', 'also what Boltbot itself says about the command')
    .action(async (build: string, step: string, { basedir, log, follow, headers }: Options) => {
      await callMaster(basedir, 'log', { build, step, log, follow: follow === true }, (item) => {
        const { stream, data } = item as LogItem // what the method gives
        if (stream === 'header' && !headers) return
        const out = stream === 'stderr' ? process.stderr : process.stdout
        out.write(Buffer.from(data, 'base64'))
      })
    })
}
