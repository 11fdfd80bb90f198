import { Command } from 'commander'
import { CALLED } from '../called.ts'
import { badArgument } from '../errors.ts'
import { wholeNumber } from '../live-command.ts'
import { print } from '../output.ts'
import { makeSlaveDirectory, type SlaveDirectoryOptions } from '../slave-directory.ts'
import { awayCommand, gracefulCommand, pauseCommand, resumeCommand } from './slave-acts.ts'

export function slaveCommand(): Command {
  // Who thinks of the slave first finds what is asked of it here too.
  const acts = [pauseCommand(), resumeCommand(), gracefulCommand(), awayCommand()]
  return acts
    .reduce((slave, act) => slave.addCommand(act), new Command('slave'))
    .alias('worker')
    .description('make the directory of a slave; "slave away" and the like are the commands of that name')
    .argument('<basedir>', 'a folder that is new, or has no slave yet')
    .argument('<host:port>', "the master's port for slaves; ws:// or wss:// before it chooses the protocol", masterUrl)
    .argument('<name>', "the slave's name in the master's config")
    .argument('<password>', 'its password; "-" reads it from standard input, where nobody sees it')
    .option('--umask <mode>', 'file mode mask of its processes, octal', octal)
    .option('--usepty', 'run commands on a pseudo-terminal')
    .option('--keepalive <seconds>', 'how often it says that it lives', wholeNumber, 60)
    .option('--maxdelay <seconds>', 'the longest wait between two tries to connect', wholeNumber, 300)
    .addHelpText('after', '\nExample:\n  $ boltbot slave bot ci.example.org:9990 bot-linux - < password.txt')
    .action((basedir: string, url: string, name: string, password: string, options: SlaveDirectoryOptions) => {
      const path = makeSlaveDirectory(basedir, { url, name, password }, options)
      print(`The slave directory "${path}" is made.`)
      print(`Say who looks after it in info/admin and what it is in info/host, then: ${CALLED} start '${path}'`)
    })
}

/** `host:port` as a WebSocket address. */
function masterUrl(text: string): string {
  if (/^wss?:\/\//.test(text) && URL.canParse(text)) return text
  if (/^[^\s/@]+:\d{1,5}$/.test(text) && URL.canParse(`ws://${text}`)) return `ws://${text}`
  throw badArgument('address', text, 'host:port')
}

/** As text: JSON has no octal numbers, and 18 for 022 would puzzle whoever reads the file. */
function octal(text: string): string {
  if (/^(0o?)?[0-7]{1,4}$/.test(text)) return text.replace(/^0?o?/, '').padStart(3, '0')
  throw badArgument('umask', text, 'an octal number such as 022')
}
