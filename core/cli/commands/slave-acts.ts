import { durationMs, formatDuration } from 'boltbot/plugin-sdk'
import type { Command } from 'commander'
import { callMaster } from '../control-client.ts'
import { badArgument, oneOfTwo } from '../errors.ts'
import { type LiveOptions, liveCommand } from '../live-command.ts'
import { print, whoAmI } from '../output.ts'

/** `pause`, `resume`, `graceful` and `away`: what people ask of slaves. */

export function pauseCommand(): Command {
  return act('pause', 'give a slave no builds until it is resumed', "pause bot-1 'disk is full'")
    .argument('[reason]', 'why, for those who see builds wait', 'paused by hand')
    .action(async (slave: string, reason: string, { basedir }: LiveOptions) => {
      await callMaster(basedir, 'pause', { slave, who: whoAmI(), reason })
      print(`"${slave}" is paused: what it runs goes on, nothing new is given to it.`)
    })
}

export function resumeCommand(): Command {
  return act('resume', 'give a paused slave builds again', 'resume bot-1').action(
    async (slave: string, { basedir }: LiveOptions) => {
      await callMaster(basedir, 'resume', { slave, who: whoAmI(), reason: 'resumed by hand' })
      print(`"${slave}" is given builds again.`)
    },
  )
}

export function gracefulCommand(): Command {
  return act('graceful', 'have a slave finish what it runs, and then exit', "graceful bot-1 'new kernel'")
    .argument('[reason]', 'why, for the log', 'asked by hand')
    .action(async (slave: string, reason: string, { basedir }: LiveOptions) => {
      await callMaster(basedir, 'graceful', { slave, who: whoAmI(), reason })
      print(`"${slave}" exits when it has finished what it runs.`)
    })
}

export function awayCommand(): Command {
  return act('away', 'say that a slave will be away, so that nobody is told it is missing', "away bot-1 2h 'new disk'")
    .argument('[duration]', 'for how long from now: 90m, 2h, 3d', someTime)
    .argument('[reason]', 'why, for those who see builds wait', '')
    .option('--end', 'it is away no longer')
    .action(async (slave: string, ms: number | undefined, reason: string, { basedir, end }: AwayOptions) => {
      if ((ms === undefined) !== (end === true))
        throw oneOfTwo('how long it will be away', '--end', 'As in "boltbot away bot-1 2h".')
      await callMaster(basedir, 'away', { slave, who: whoAmI(), reason, ms: ms ?? 0 })
      if (ms === undefined) print(`"${slave}" is expected again.`)
      else print(`"${slave}" is not missing before ${formatDuration(ms)} are over.`)
    })
}

interface AwayOptions extends LiveOptions {
  readonly end?: true
}

const act = (name: string, description: string, example: string) =>
  liveCommand(name, description, example).argument('<slave>', 'its name; "boltbot slaves" lists them')

/** For commander: a duration, in milliseconds. */
function someTime(text: string): number {
  const ms = durationMs(text)
  if (ms === undefined || ms === 0) throw badArgument('duration', text, "a time such as '90m', '2h' or '3d'")
  return ms
}
