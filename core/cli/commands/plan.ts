import { resolve } from 'node:path'
import type { Command } from 'commander'
import type { ConfigPlan } from '../../plan/plan.ts'
import { buildText } from '../../plan/replay.ts'
import { callMaster } from '../control-client.ts'
import { type LiveOptions, listCommand, wholeNumber } from '../live-command.ts'
import { oneLine, print, printJson } from '../output.ts'

interface Options extends LiveOptions {
  readonly changes: number
}

export function planCommand(): Command {
  return listCommand(
    'plan',
    'show what a config would change in the running master',
    'plan master.cfg.ts --changes 200',
  )
    .argument('[file]', "a config file; default: the master's own, as it is now")
    .option('--changes <count>', 'replay so many of the last changes', wholeNumber, 100)
    .action(async (file: string | undefined, { basedir, json, changes }: Options) => {
      const plan = await askPlan(basedir, changes, file)
      if (json) printJson(plan)
      else printPlan(plan)
    })
}

export function askPlan(basedir: string, changes: number, file?: string): Promise<ConfigPlan> {
  return callMaster<ConfigPlan>(basedir, 'plan', { changes, ...(file !== undefined && { file: resolve(file) }) })
}

export function printPlan({ changed, plugins, queue, schedulers, replay }: ConfigPlan): void {
  const part = (title: string, lines: readonly string[]) => {
    if (lines.length === 0) return
    print(title)
    for (const line of lines) print(`  ${oneLine(line)}`)
  }
  if (changed.length + plugins.length === 0) print('Nothing changes.')
  part('What changes:', changed)
  part('Plugins, all others run on untouched:', plugins)
  part('Queue and running builds:', queue)
  part('Schedulers that wait:', schedulers)
  const { fewer, more, same, problems } = replay
  part('The schedulers of the new config had problems:', problems)
  if (replay.changes === 0) return
  const last = replay.changes === 1 ? 'the last change' : `the last ${replay.changes} changes`
  const isSame = fewer.length + more.length === 0
  if (isSame && same === 0) print(`Of ${last} no build would come, as now.`)
  else if (isSame) print(`Of ${last} the same builds would come as now: ${same}.`)
  else print(`Of ${last} other builds would come (${same} are the same):`)
  for (const build of fewer) print(`  - ${oneLine(buildText(build))}`)
  for (const build of more) print(`  + ${oneLine(buildText(build))}`)
  const { tellings } = replay
  if (tellings.fewer.length + tellings.more.length === 0) return
  print(`Of the builds that ${last} had, other people would be told (${tellings.same} mails and lines are the same):`)
  for (const { build, text } of tellings.fewer) print(`  - ${oneLine(`${build}, ${text}`)}`)
  for (const { build, text } of tellings.more) print(`  + ${oneLine(`${build}, ${text}`)}`)
}
