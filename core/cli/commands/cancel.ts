import type { Command } from 'commander'
import { callMaster } from '../control-client.ts'
import { type LiveOptions, liveCommand, wholeNumber } from '../live-command.ts'
import { print, whoAmI } from '../output.ts'

export function cancelCommand(): Command {
  return liveCommand('cancel', 'take a waiting request out of its queue', "cancel 17 --reason 'not needed'")
    .argument('<request>', 'its number; "boltbot why" lists them', wholeNumber)
    .option('--reason <text>', 'why', 'cancelled by hand')
    .action(async (request: number, { basedir, reason }: LiveOptions & { readonly reason: string }) => {
      await callMaster(basedir, 'cancel', { request, who: whoAmI(), reason })
      print(`Request ${request} is cancelled.`)
    })
}
