import type { BuildsetSubmitted, SchedulerView } from 'boltbot/plugin-sdk'
import type { Command } from 'commander'
import { callMaster } from '../control-client.ts'
import { elsewhereOptions, withElsewhere } from '../debug-port.ts'
import { badArgument, cliBuilderOrScheduler } from '../errors.ts'
import { type ForceElsewhere, forceElsewhere } from '../force-elsewhere.ts'
import { collect, collectProperty, type LiveOptions, listCommand, wholeNumber } from '../live-command.ts'
import { print, printJson, printTable, whoAmI } from '../output.ts'
import { formRows } from './form-rows.ts'
import { waitForBuildset } from './wait-for.ts'

interface Options extends LiveOptions {
  readonly branch?: string
  readonly revision?: string
  readonly reason?: string
  readonly prop?: Readonly<Record<string, unknown>>
  readonly priority?: number
  readonly wait?: true
  readonly scheduler?: string
  readonly set?: Readonly<Record<string, unknown>>
  readonly builder?: readonly string[]
  readonly fields?: true
}

export function forceCommand(): Command {
  const example = "force full --branch main --reason 'after the move' --prop colour=red"
  return elsewhereOptions(listCommand('force', 'start a build', example))
    .argument('[builder]', 'its name; "boltbot builders" lists them')
    .option('--branch <name>', 'build this branch instead of the default one')
    .option('--revision <id>', 'build this revision instead of the newest')
    .option('--reason <text>', 'why, for those who see the build; default: forced')
    .option('--prop <name=value>', 'set a property; may be given several times', collectProperty)
    .option('--priority <number>', 'higher ones are built first', wholeNumber)
    .option('--scheduler <name>', 'fill in the form of a force scheduler instead of naming a builder')
    .option('--set <field=value>', 'a field of its form; may be given several times', collectProperty)
    .option('--builder <name>', 'some of its builders instead of all; may be given several times', collect)
    .option('--fields', 'show the fields of its form')
    .option('--wait', 'wait until it has ended; exit code 1 when it was not good')
    .action(async (builder: string | undefined, options: Options, command: Command) => {
      const elsewhere = withElsewhere<ForceElsewhere>(command)
      if (elsewhere.master !== undefined) return forceElsewhere(builder, elsewhere)
      const { basedir, json, scheduler, wait } = options
      if ((builder === undefined) === (scheduler === undefined)) throw cliBuilderOrScheduler()
      if (scheduler !== undefined && options.fields) return showFields(basedir, scheduler)
      const submitted = builder === undefined ? await fillIn(scheduler!, options) : await forceBuilder(builder, options)
      if (json) return printJson(submitted)
      const what = builder === undefined ? `scheduler "${scheduler}"` : `"${builder}"`
      print(`Request ${submitted.requests.join(', ')} of ${what} is queued.`)
      if (submitted.warning !== null) print(`Mind: ${submitted.warning}.`)
      if (wait) await waitForBuildset(basedir, submitted.buildset)
    })
}

function forceBuilder(builder: string, options: Options): Promise<BuildsetSubmitted> {
  const { basedir, branch, revision, priority, reason = 'forced', prop: properties } = options
  const order = { builder, who: whoAmI(), branch, revision, reason, properties, priority }
  return callMaster<BuildsetSubmitted>(basedir, 'force', order)
}

/** The options for the source are fields of the form too. */
function fillIn(scheduler: string, options: Options): Promise<BuildsetSubmitted> {
  const { basedir, branch, revision, reason, priority, prop, set, builder: builders } = options
  const fields = { branch, revision, reason, priority, ...prop, ...set }
  const values = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
  return callMaster<BuildsetSubmitted>(basedir, 'force-form', { scheduler, who: whoAmI(), builders, values })
}

async function showFields(basedir: string, name: string): Promise<void> {
  const all = await callMaster<readonly SchedulerView[]>(basedir, 'schedulers', {})
  const form = all.find((scheduler) => scheduler.name === name)?.form
  const known = all.filter((scheduler) => scheduler.form !== undefined).map((scheduler) => scheduler.name)
  if (form === undefined)
    throw badArgument('scheduler', name, `one with a form (${known.join(', ') || 'there are none'})`)
  printTable(formRows(form))
}
