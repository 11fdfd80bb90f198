import type { Submitted } from 'boltbot/plugin-sdk'
import type { Command } from 'commander'
import { type ChangeElsewhere, changeElsewhere } from '../change-elsewhere.ts'
import { callMaster } from '../control-client.ts'
import { elsewhereOptions, withElsewhere } from '../debug-port.ts'
import { collect, collectProperty, type LiveOptions, listCommand } from '../live-command.ts'
import { print, printJson } from '../output.ts'

type Options = LiveOptions & Omit<ChangeElsewhere, 'prop'> & { readonly prop?: Readonly<Record<string, unknown>> }

export function changeCommand(): Command {
  return elsewhereOptions(
    listCommand('change', 'hand in a change', "change --who 'Jane <jane@example.org>' --file src/main.c --branch main"),
  )
    .requiredOption('--who <author>', 'who made it')
    .requiredOption('--file <path>', 'a file it touches; may be given several times', collect)
    .option('--comments <text>', 'what its author says', '')
    .option('--branch <name>', 'the branch; default: the default one')
    .option('--revision <id>', 'the revision, as the version control system names it')
    .option('--repository <url>', 'the repository')
    .option('--project <name>', 'the project')
    .option('--category <name>', 'the category')
    .option('--prop <name=value>', 'set a property; may be given several times', collectProperty)
    .action(async (options: Options, command: Command) => {
      const elsewhere = withElsewhere<ChangeElsewhere>(command)
      if (elsewhere.master !== undefined) return changeElsewhere(elsewhere)
      const { basedir, json, file, prop, ...rest } = options
      const params = { ...rest, files: file, ...(prop && { properties: prop }) }
      const submitted = await callMaster<Submitted>(basedir, 'change', params)
      if (json) return printJson(submitted)
      print(
        submitted.duplicate ? `It was known already: change ${submitted.change.id}.` : `Change ${submitted.change.id}.`,
      )
    })
}
