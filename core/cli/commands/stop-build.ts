import type { Command } from 'commander'
import { callMaster } from '../control-client.ts'
import { type LiveOptions, liveCommand } from '../live-command.ts'
import { print, whoAmI } from '../output.ts'

export function stopBuildCommand(): Command {
  return liveCommand('stop-build', 'stop a running build', "stop-build full/12 --reason 'wrong branch'")
    .argument('<build>', 'builder and number (full/12), or the id of a build')
    .option('--reason <text>', 'why, for those who see the build', 'stopped by hand')
    .action(async (build: string, { basedir, reason }: LiveOptions & { readonly reason: string }) => {
      const stopped = await callMaster<{ build: string }>(basedir, 'stop-build', { build, who: whoAmI(), reason })
      print(`Build ${stopped.build} is being stopped.`)
    })
}
