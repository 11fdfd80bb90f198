import type { Command } from 'commander'
import { noTerminal } from '../errors.ts'
import { type LiveOptions, liveCommand } from '../live-command.ts'
import { watch } from '../watch/watch.ts'

export function watchCommand(): Command {
  return liveCommand(
    'watch',
    'a dashboard in the terminal: builders, queue, slaves; keys to force, stop, look',
    'watch --basedir ci',
  )
    .option('--no-color', 'signs in place of colours')
    .action(async ({ basedir, color }: LiveOptions & { readonly color: boolean }) => {
      const { stdin, stdout } = process
      if (!stdin.isTTY || !stdout.isTTY) throw noTerminal()
      const ending = new AbortController()
      for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.once(signal, () => ending.abort()) // the terminal is given back
      await watch({
        basedir,
        input: stdin,
        output: stdout,
        color: color && process.env.NO_COLOR === undefined,
        signal: ending.signal,
      })
      process.exit(0) // connections that are waited for end with the process
    })
}
