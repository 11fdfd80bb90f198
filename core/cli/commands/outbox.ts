import { formatDuration } from 'boltbot/plugin-sdk'
import type { Command } from 'commander'
import type { OutboxView } from '../../store/outbox-views.ts'
import { callMaster } from '../control-client.ts'
import { type LiveOptions, listCommand, liveCommand, wholeNumber } from '../live-command.ts'
import { ago, oneLine, print, printJson, printTable, whoAmI } from '../output.ts'

interface OutboxOptions extends LiveOptions {
  readonly all?: true
  readonly inDoubt?: true
  readonly limit: number
}

/** Messages to people that wait, are in hand or could not be delivered. */
export function outboxCommand(): Command {
  return listCommand('outbox', 'list messages that are not delivered, try one again, drop one', 'outbox --in-doubt')
    .option('--all', 'also those that were delivered, dropped or put into a digest')
    .option('--in-doubt', 'those that a recipient may have twice')
    .option('--limit <n>', 'at most so many, the oldest first', wholeNumber, 100)
    .action(async ({ basedir, json, all, inDoubt, limit }: OutboxOptions) => {
      const asked = { all: all === true, inDoubt: inDoubt === true, limit }
      const messages = await callMaster<readonly OutboxView[]>(basedir, 'outbox', asked)
      if (json) return printJson(messages)
      if (messages.length === 0) return print(all || inDoubt ? 'There are none.' : 'All messages are delivered.')
      printTable(messages.map(rowOf))
    })
    .addCommand(retryCommand())
    .addCommand(dropCommand())
}

function retryCommand(): Command {
  return liveCommand('retry', 'try a message now, also one that is dead', 'outbox retry 12')
    .argument('<message>', 'its number', wholeNumber)
    .action(async (id: number, _: object, command: Command) => {
      await callMaster(basedirOf(command), 'outbox-retry', { id })
      print(`Message ${id} is tried again.`)
    })
}

function dropCommand(): Command {
  return liveCommand('drop', 'do not send a message any more', "outbox drop 12 'he left'")
    .argument('<message>', 'its number', wholeNumber)
    .argument('[reason]', 'why', '')
    .action(async (id: number, reason: string, _: object, command: Command) => {
      await callMaster(basedirOf(command), 'outbox-drop', { id, who: whoAmI(), reason })
      print(`Message ${id} will not be sent.`)
    })
}

/** `--basedir` may stand before or behind the name of the inner command. */
function basedirOf(command: Command): string {
  const own = command.getOptionValueSource('basedir') === 'default' ? command.parent : command
  return (own ?? command).opts<LiveOptions>().basedir
}

function rowOf(message: OutboxView): readonly string[] {
  const { id, scheme, recipient, address, subject, error } = message
  const to = oneLine(address === null ? recipient : `${scheme}:${address}`)
  const why = error === null ? '' : ` (${oneLine(error)})`
  return [`${id}`, standingOf(message), ago(message.createdAt), to, `${oneLine(subject)}${why}`]
}

/** `waiting, try 3 in 2m, in doubt`. */
function standingOf({ state, attempts, inDoubt, notBefore, held, digest }: OutboxView): string {
  const left = notBefore - Date.now()
  const notes = [
    digest === null ? state : `in digest ${digest}`,
    held && state === 'waiting' && 'held for a digest',
    state === 'waiting' && attempts > 0 && `try ${attempts + 1}`,
    state === 'waiting' && left > 0 && `in ${formatDuration(left)}`,
    inDoubt > 0 && 'in doubt',
  ]
  return notes.filter((note) => note !== false).join(', ')
}
