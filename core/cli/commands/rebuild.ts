import type { BuildsetSubmitted } from 'boltbot/plugin-sdk'
import type { Command } from 'commander'
import { callMaster } from '../control-client.ts'
import { type LiveOptions, listCommand } from '../live-command.ts'
import { print, printJson, whoAmI } from '../output.ts'
import { waitForBuildset } from './wait-for.ts'

interface Options extends LiveOptions {
  readonly reason: string
  readonly wait?: true
}

export function rebuildCommand(): Command {
  return listCommand('rebuild', 'build once more just what a build was made from', "rebuild full/12 --reason 'flaky?'")
    .argument('<build>', 'builder/number, or its id')
    .option('--reason <text>', 'why, for those who see the build', 'rebuilt by hand')
    .option('--wait', 'wait until it has ended; exit code 1 when it was not good')
    .action(async (build: string, { basedir, json, reason, wait }: Options) => {
      const params = { build, who: whoAmI(), reason }
      const submitted = await callMaster<BuildsetSubmitted & { builder: string }>(basedir, 'rebuild', params)
      if (json) return printJson(submitted)
      print(`Request ${submitted.requests.join(', ')} of "${submitted.builder}" is queued.`)
      if (submitted.warning !== null) print(`Mind: ${submitted.warning}.`)
      if (wait) await waitForBuildset(basedir, submitted.buildset)
    })
}
