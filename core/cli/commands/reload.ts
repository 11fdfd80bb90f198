import { Command } from 'commander'
import { callDebugPort, elsewhereOptions, withElsewhere } from '../debug-port.ts'
import { oneLine, print } from '../output.ts'

export function reloadCommand(): Command {
  return elsewhereOptions(new Command('reload'))
    .description('have a master elsewhere read its config again (here: reconfig)')
    .addHelpText('after', '\nExample:\n  $ boltbot --master ci.example.org:9989 --passwd-file ~/.boltbot/debug reload')
    .action(async (_: object, command: Command) => {
      const changed = await callDebugPort(withElsewhere(command), ['reload'])
      // An old Buildbot gives nothing.
      const lines = Array.isArray(changed) ? changed : []
      print(
        lines.length === 0
          ? 'The config is in force; nothing is known to have changed.'
          : 'The new config is in force:',
      )
      for (const line of lines) print(`  ${oneLine(String(line))}`)
    })
}
