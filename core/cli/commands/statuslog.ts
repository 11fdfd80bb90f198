import type { Command } from 'commander'
import type { StoredEvent } from '../../store/store.ts'
import { callMaster } from '../control-client.ts'
import { eventLine } from '../event-line.ts'
import { type LiveOptions, listCommand, wholeNumber } from '../live-command.ts'
import { print } from '../output.ts'

interface Options extends LiveOptions {
  readonly after?: number
}

export function statuslogCommand(): Command {
  return listCommand('statuslog', 'print what happens, a line each, until Ctrl-C', 'statuslog --json | jq .name')
    .option('--after <event>', 'from an event of the past on, by its id; default: from now on', wholeNumber)
    .action(async ({ basedir, json, after }: Options) => {
      await callMaster(basedir, 'events', { ...(after !== undefined && { after }) }, (item) => {
        const event = item as StoredEvent // what the method gives
        print(json ? JSON.stringify(event) : eventLine(event))
      })
    })
}
