import { Command } from 'commander'
import { callDebugPort, elsewhereOptions, withElsewhere } from '../debug-port.ts'
import { oneLine, print } from '../output.ts'

export function pokeIrcCommand(): Command {
  return elsewhereOptions(new Command('poke-irc'))
    .description('have the chat bot of a master elsewhere say something in all its channels (here: chat poke)')
    .addHelpText(
      'after',
      '\nExample:\n  $ boltbot --master ci.example.org:9989 --passwd-file ~/.boltbot/debug poke-irc',
    )
    .action(async (_: object, command: Command) => {
      const said = await callDebugPort(withElsewhere(command), ['pokeIRC'])
      for (const line of Array.isArray(said) ? said : ['It was asked to.']) print(oneLine(String(line)))
    })
}
