import { type BranchView, type BuilderView, formatDuration, type StepExpectation } from 'boltbot/plugin-sdk'
import type { Command } from 'commander'
import { unknownBuilder } from '../../errors.ts'
import { callMaster } from '../control-client.ts'
import { type LiveOptions, listCommand } from '../live-command.ts'
import { oneLine, print, printJson, printTable } from '../output.ts'

interface BuilderFacts extends BuilderView {
  readonly branches: readonly BranchView[]
  readonly expectations: readonly StepExpectation[]
}

export function buildersCommand(): Command {
  return listCommand('builders', 'list builders, or show how one fares on its branches', 'builders full')
    .argument('[builder]', 'its name')
    .action(async (name: string | undefined, { basedir, json }: LiveOptions) => {
      if (name === undefined) {
        const all = await callMaster<readonly BuilderView[]>(basedir, 'builders', {})
        return json ? printJson(all) : printTable(all.map(rowOf))
      }
      const facts = await callMaster<BuilderFacts | null>(basedir, 'builder', { name })
      if (facts === null) {
        const all = await callMaster<readonly BuilderView[]>(basedir, 'builders', {})
        throw unknownBuilder(
          name,
          all.map((builder) => builder.name),
        )
      }
      if (json) return printJson(facts)
      printTable([rowOf(facts)])
      if (facts.branches.length > 0) print('Branches, the last built first:')
      printTable(facts.branches.map(branchRow))
      if (facts.expectations.length > 0) print('Its steps take, in good builds:')
      printTable(facts.expectations.map(stepRow))
    })
}

function rowOf({ name, state, waiting, building, lastBuild, lastResult }: BuilderView): readonly string[] {
  const last = lastBuild === null ? 'never built' : `last: ${name}/${lastBuild} ${lastResult}`
  return [name, state, `${building.length} running`, `${waiting} waiting`, last]
}

function branchRow({ branch, lastBuild, lastResult, lastSuccess }: BranchView): readonly string[] {
  const success = lastSuccess === null ? 'never succeeded' : `last success ${lastSuccess}`
  return [`  ${oneLine(branch ?? 'default')}`, `${lastBuild} ${lastResult}`, success]
}

function stepRow({ name, median, low, high }: StepExpectation): readonly string[] {
  return [`  ${oneLine(name)}`, formatDuration(median), `${formatDuration(low)} to ${formatDuration(high)}`]
}
