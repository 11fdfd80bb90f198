import type { Command } from 'commander'
import { callMaster } from '../control-client.ts'
import { type LiveOptions, liveCommand } from '../live-command.ts'
import { print, whoAmI } from '../output.ts'

export function nowCommand(): Command {
  return liveCommand('now', 'have a scheduler stop waiting for its timer', 'now tests')
    .argument('<scheduler>', 'its name, as the config has it')
    .action(async (scheduler: string, { basedir }: LiveOptions) => {
      const { buildsets } = await callMaster<{ buildsets: number }>(basedir, 'now', { scheduler, who: whoAmI() })
      print(
        buildsets === 0
          ? `Scheduler "${scheduler}" has nothing to build.`
          : `Scheduler "${scheduler}" asked for ${buildsets === 1 ? 'a buildset' : `${buildsets} buildsets`}.`,
      )
    })
}
