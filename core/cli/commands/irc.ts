import { Command } from 'commander'
import { callMaster } from '../control-client.ts'
import { type LiveOptions, liveCommand } from '../live-command.ts'
import { print, whoAmI } from '../output.ts'

export function ircCommand(): Command {
  return new Command('irc')
    .description('look after the chat bot on IRC')
    .addCommand(testCommand())
    .addHelpText('after', '\nExample:\n  $ boltbot irc test')
}

function testCommand(): Command {
  return liveCommand(
    'test',
    'say of each IRC network whether the bot is there; exit code 1 when not',
    'irc test',
  ).action(async ({ basedir }: LiveOptions) => {
    // The plugin knows: it adds this command to the bot.
    const { lines } = await callMaster<{ lines: readonly string[] }>(basedir, 'chat', {
      who: whoAmI(),
      text: 'irc test',
    })
    for (const line of lines) print(line)
    if (!lines.every((line) => line.includes(': there as '))) process.exitCode = 1
  })
}
