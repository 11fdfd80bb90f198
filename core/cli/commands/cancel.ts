import type { Command } from 'commander'
import { callMaster } from '../control-client.ts'
import { oneOfTwo } from '../errors.ts'
import { type LiveOptions, liveCommand, wholeNumber } from '../live-command.ts'
import { print, whoAmI } from '../output.ts'

interface Options extends LiveOptions {
  readonly builder?: string
  readonly reason: string
}

export function cancelCommand(): Command {
  return liveCommand('cancel', 'take waiting requests out of their queue', "cancel 17 --reason 'not needed'")
    .argument('[request]', 'its number; "boltbot why" lists them', wholeNumber)
    .option('--builder <name>', 'all that wait for this builder')
    .option('--reason <text>', 'why', 'cancelled by hand')
    .action(async (request: number | undefined, { basedir, builder, reason }: Options) => {
      if ((request === undefined) === (builder === undefined))
        throw oneOfTwo('a request', 'a builder with --builder', '"boltbot why" lists what waits.')
      const order = { who: whoAmI(), reason }
      if (request !== undefined) {
        await callMaster(basedir, 'cancel', { request, ...order })
        return print(`Request ${request} is cancelled.`)
      }
      const { cancelled } = await callMaster<{ cancelled: number }>(basedir, 'cancel', { builder, ...order })
      if (cancelled === 0) print(`Nothing waits for "${builder}".`)
      else print(`${cancelled === 1 ? '1 request' : `${cancelled} requests`} of "${builder}" cancelled.`)
    })
}
