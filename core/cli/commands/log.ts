import type { Command } from 'commander'
import type { ChosenStep, LogItem } from '../../control/methods.ts'
import { callMaster } from '../control-client.ts'
import { type LiveOptions, liveCommand } from '../live-command.ts'
import { oneLine } from '../output.ts'

interface Options extends LiveOptions {
  readonly follow?: true
  readonly log: string
  readonly headers?: true
}

export function logCommand(): Command {
  return liveCommand('log', 'print what a step printed', 'log full/12 compile --follow')
    .argument('<build>', 'builder and number (full/12), or the id of a build')
    .argument('[step]', 'name or number of a step; default: the first that failed, or else the last')
    .option('--follow', 'go on until the step is done')
    .option('--log <name>', 'another log of the step', 'stdio')
    .option('--headers', 'also what Boltbot itself says about the command')
    .action(async (build: string, step: string | undefined, { basedir, log, follow, headers }: Options) => {
      await callMaster(basedir, 'log', { build, step, log, follow: follow === true }, (item) => {
        const given = item as LogItem | ChosenStep // what the method gives
        if ('step' in given) return void process.stderr.write(`${oneLine(chosen(build, given))}\n`)
        const { stream, data } = given
        if (stream === 'header' && !headers) return
        const out = stream === 'stderr' ? process.stderr : process.stdout
        out.write(Buffer.from(data, 'base64'))
      })
    })
}

const chosen = (build: string, { step, result }: ChosenStep) => `Step "${step}" of ${build} (${result ?? 'running'}):`
