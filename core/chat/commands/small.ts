import type { Call, ChatTools, Command } from '../command.ts'
import { wrapNames } from '../describe.ts'
import { notHere, wrongUsage } from '../errors.ts'
import { type CommandTable, usageOf } from '../table.ts'

/** What the bot says of itself, and where it is. */
export function smallCommands(
  { query, tellAll, guard }: Pick<ChatTools, 'query' | 'tellAll' | 'guard'>,
  table: () => CommandTable,
): readonly Command[] {
  function help({ words }: Call): readonly string[] {
    if (words.length === 0)
      return [
        'Say "status", "why BUILDER", "force build BUILDER REASON", "watch BUILDER" and the like. "commands" lists all, "help COMMAND" explains one.',
      ]
    const { command } = table().find(words)
    return [`${usageOf(command)}: ${command.summary}.`, `Example: ${command.example}`]
  }

  async function move({ words, place, asker }: Call, act: 'join' | 'leave'): Promise<string> {
    const go = place[act]
    if (go === undefined) throw notHere(act, 'there are no channels')
    if (words[0] === undefined || words.length > 1) throw wrongUsage(`${act} CHANNEL`)
    await guard({ action: 'moderate', ...asker, reason: `${act} ${words[0]} from ${place.id}` })
    return go(words[0])
  }

  /** Not for everybody: it is heard everywhere. */
  function poke({ speaker }: Call): string {
    if (speaker.proofs !== undefined) throw notHere('poke', 'it is for the terminal of the master')
    const places = tellAll(`Ow! ${speaker.name} pokes me: I am here.`)
    return places === 0 ? 'I am in no place.' : `Said in ${places} ${places === 1 ? 'place' : 'places'}.`
  }

  return [
    {
      name: 'help',
      usage: '[COMMAND]',
      summary: 'explains a command, with an example',
      example: 'help force build',
      run: help,
    },
    {
      name: 'commands',
      usage: '',
      summary: 'lists all commands',
      example: 'commands',
      run: () =>
        wrapNames(
          table()
            .list()
            .map(({ name }) => name),
        ),
    },
    {
      name: 'hello',
      also: ['hi'],
      usage: '',
      summary: 'greets',
      example: 'hello',
      run: ({ speaker }) => `Hello ${speaker.name}. I build ${query.project().name}. Say "help" to see what I can do.`,
    },
    {
      name: 'dance',
      usage: '',
      summary: 'dances',
      example: 'dance',
      run: () => ['<(^.^<)', '(>^.^)>', '<(^.^)>'],
    },
    {
      name: 'poke',
      usage: '',
      summary: 'says in all places that the bot is there; from the terminal only',
      example: 'poke',
      run: poke,
    },
    {
      name: 'join',
      usage: 'CHANNEL',
      summary: 'has the bot enter a channel',
      example: 'join #hello',
      run: (call) => move(call, 'join'),
    },
    {
      name: 'leave',
      also: ['part'],
      usage: 'CHANNEL',
      summary: 'has the bot leave a channel',
      example: 'leave #hello',
      run: (call) => move(call, 'leave'),
    },
  ]
}
