import { Command } from 'commander'
import { badArgument } from '../errors.ts'
import { wholeNumber } from '../live-command.ts'

export function demoCommand(): Command {
  return new Command('demo')
    .description('show the whole walk on this machine: commit, build, result, mail')
    .argument('[folder]', 'where to make it, and keep it; default: a temporary folder')
    .option('--once', 'end after the story instead of staying up until Ctrl-C')
    .option('--port <number>', 'port for the slave; default: a free one', portNumber)
    .addHelpText('after', '\nExample:\n  $ boltbot demo --once')
    .action(async (folder: string | undefined, { once, port }: { once?: true; port?: number }) => {
      const { runDemo } = await import('../demo/run-demo.ts') // its mail server is not loaded for other commands
      await runDemo({ folder, port, once: once === true })
    })
}

function portNumber(text: string): number {
  const port = wholeNumber(text)
  if (port < 1 || port > 65_535) throw badArgument('port', text, 'a number from 1 to 65535')
  return port
}
