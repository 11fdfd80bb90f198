import { Command } from 'commander'
import type { PluginStatus } from '../../host/plugin-scope.ts'
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
    const plugins = await callMaster<readonly PluginStatus[]>(basedir, 'plugins', {})
    const bots = plugins.filter(({ name }) => name === IRC)
    if (bots.length === 0) {
      print('The config has no IRC bot.')
      process.exitCode = 1
      return
    }
    const lines = (await Promise.all(bots.map(({ id }) => ask(basedir, id)))).flat()
    for (const line of lines) print(line)
    if (!lines.every((line) => line.includes(': there as '))) process.exitCode = 1
  })
}

const IRC = 'status/irc'

/** The plugin knows: it adds this command to the bot, under its id when that is not the usual one. */
async function ask(basedir: string, id: string): Promise<readonly string[]> {
  const slug = id
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
  const text = id === IRC ? 'irc test' : `irc-test ${slug}`
  return (await callMaster<{ lines: readonly string[] }>(basedir, 'chat', { who: whoAmI(), text })).lines
}
