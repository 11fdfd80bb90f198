import { CiError } from 'boltbot/plugin-sdk'
import { Command, CommanderError } from 'commander'
import { auditCommand } from './commands/audit.ts'
import { buildersCommand } from './commands/builders.ts'
import { buildsCommand } from './commands/builds.ts'
import { cancelCommand } from './commands/cancel.ts'
import { changeCommand } from './commands/change.ts'
import { changesCommand } from './commands/changes.ts'
import { chatCommand } from './commands/chat.ts'
import { checkconfigCommand } from './commands/checkconfig.ts'
import { demoCommand } from './commands/demo.ts'
import { doctorCommand } from './commands/doctor.ts'
import { forceCommand } from './commands/force.ts'
import { hashPasswordCommand } from './commands/hash-password.ts'
import { hookCommand } from './commands/hook.ts'
import { initCommand } from './commands/init.ts'
import { ircCommand } from './commands/irc.ts'
import { locksCommand } from './commands/locks.ts'
import { logCommand } from './commands/log.ts'
import { mailCommand } from './commands/mail.ts'
import { masterCommand } from './commands/master.ts'
import { newPluginCommand } from './commands/new-plugin.ts'
import { nowCommand } from './commands/now.ts'
import { outboxCommand } from './commands/outbox.ts'
import { peopleCommand, subscribeCommand, subscriptionsCommand, unsubscribeCommand } from './commands/people.ts'
import { planCommand } from './commands/plan.ts'
import { pluginsCommand } from './commands/plugins.ts'
import { pokeIrcCommand } from './commands/poke-irc.ts'
import { pollCommand, pollersCommand } from './commands/pollers.ts'
import { rebuildCommand } from './commands/rebuild.ts'
import { reconfigCommand } from './commands/reconfig.ts'
import { reloadCommand } from './commands/reload.ts'
import { restartCommand } from './commands/restart.ts'
import { sendchangeCommand } from './commands/sendchange.ts'
import { slaveCommand } from './commands/slave.ts'
import { awayCommand, gracefulCommand, pauseCommand, resumeCommand } from './commands/slave-acts.ts'
import { slavesCommand } from './commands/slaves.ts'
import { startCommand } from './commands/start.ts'
import { statusCommand } from './commands/status.ts'
import { statuslogCommand } from './commands/statuslog.ts'
import { stopCommand } from './commands/stop.ts'
import { stopBuildCommand } from './commands/stop-build.ts'
import { tryCommand } from './commands/try.ts'
import { tryserverCommand } from './commands/tryserver.ts'
import { watchCommand } from './commands/watch.ts'
import { whyCommand } from './commands/why.ts'
import { type ElsewhereOptions, elsewhereOptions } from './debug-port.ts'
import { badArgument } from './errors.ts'
import { version } from './installation.ts'
import { endWithReader, printError } from './output.ts'

/** The command line. Sets the exit code: 0 done, 1 it failed, 2 it was not asked rightly. Never throws. */
export async function main(argv: readonly string[]): Promise<void> {
  endWithReader()
  try {
    await createProgram().parseAsync([...argv])
  } catch (error) {
    if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2
    else {
      printError(error)
      process.exitCode =
        error instanceof CiError && ['BOLT_CLI_ARGUMENT', 'BOLT_CLI_CHOICE', 'BOLT_CLI_WHAT'].includes(error.code)
          ? 2
          : 1
    }
    if (isCommitHook(argv)) process.exitCode = 0
  }
}

/** A commit never fails by its hook, not even by one that is written wrongly: it says what is wrong, and that is all. */
const isCommitHook = ([, , command, system, ...words]: readonly string[]) =>
  command === 'hook' &&
  system !== 'flush' &&
  !words.includes('--help') &&
  !words.some((word) => word.startsWith('--install'))

function createProgram(): Command {
  const program = elsewhereOptions(new Command('boltbot'))
    .description('A continuous-integration master: a plugin host for change sources and status targets.')
    .version(version())
    .exitOverride()
    .enablePositionalOptions()
    .hook('preAction', refuseElsewhere)
    .showSuggestionAfterError()
    .configureOutput({ outputError: (text, write) => write(`boltbot: ${sentenceOf(text)}\n`) })
    .addHelpText('after', '\nExample:\n  $ boltbot master ci && boltbot start ci && boltbot force hello --basedir ci')
  for (const [heading, commands] of GROUPS)
    for (const command of commands()) program.addCommand(command.copyInheritedSettings(program).helpGroup(heading))
  return program
}

const ELSEWHERE = ['reload', 'force', 'change', 'poke-irc']

/** Options in front of a command that has no use for them are not passed over. */
function refuseElsewhere(program: Command, command: Command): void {
  if (program.opts<ElsewhereOptions>().master === undefined || ELSEWHERE.includes(command.name())) return
  const hasOne = command.options.some(({ long }) => long === '--master')
  const instead = hasOne ? `behind "${command.name()}"` : `left out: "${command.name()}" asks a master of this machine`
  throw badArgument('option', '--master', instead)
}

/** What commander says of wrong words, as all other refusals are said. */
function sentenceOf(text: string): string {
  const [what = '', near] = text
    .replace(/^error: /, '')
    .trimEnd()
    .split(/\n\(Did you mean (?:one of )?(.*)\?\)$/)
  const quoted = what.replace(/\.$/, '').replace(/'([^']*)'/g, '"$1"')
  const sentence = `${quoted.charAt(0).toUpperCase()}${quoted.slice(1)}.`
  if (near === undefined) return `${sentence} --help shows what there is.`
  return `${sentence} Did you mean ${near.replace(/[^\s,]+/g, '"$&"').replace(/, ([^,]*)$/, ' or $1')}?`
}

const GROUPS: readonly (readonly [heading: string, commands: () => readonly Command[]])[] = [
  [
    'Set up:',
    () => [
      demoCommand(),
      masterCommand(),
      initCommand(),
      slaveCommand(),
      checkconfigCommand(),
      doctorCommand(),
      hashPasswordCommand(),
      newPluginCommand(),
    ],
  ],
  ['Run:', () => [startCommand(), stopCommand(), restartCommand(), statusCommand(), planCommand(), reconfigCommand()]],
  [
    'Ask for builds:',
    () => [
      forceCommand(),
      rebuildCommand(),
      nowCommand(),
      pollCommand(),
      changeCommand(),
      stopBuildCommand(),
      cancelCommand(),
    ],
  ],
  [
    'Talk to masters elsewhere:',
    () => [sendchangeCommand(), hookCommand(), tryCommand(), tryserverCommand(), reloadCommand(), pokeIrcCommand()],
  ],
  ['Slaves:', () => [pauseCommand(), resumeCommand(), gracefulCommand(), awayCommand()]],
  [
    'Look:',
    () => [
      watchCommand(),
      whyCommand(),
      chatCommand(),
      ircCommand(),
      buildersCommand(),
      buildsCommand(),
      logCommand(),
      changesCommand(),
      auditCommand(),
      slavesCommand(),
      locksCommand(),
      pollersCommand(),
      statuslogCommand(),
      pluginsCommand(),
      outboxCommand(),
      mailCommand(),
    ],
  ],
  ['People:', () => [peopleCommand(), subscribeCommand(), unsubscribeCommand(), subscriptionsCommand()]],
]
