import type { RequestView, WhyNot } from 'boltbot/plugin-sdk'
import type { Command } from 'commander'
import { callMaster } from '../control-client.ts'
import { noSuchRequest } from '../errors.ts'
import { type LiveOptions, listCommand, wholeNumber } from '../live-command.ts'
import { ago, oneLine, print, printJson, printTable } from '../output.ts'

interface Waiting {
  readonly request: RequestView
  readonly why: WhyNot | null
}
interface Scheduler {
  readonly name: string
  readonly waiting: string | null
  readonly wakeAt: number | null
}

export function whyCommand(): Command {
  return listCommand('why', 'say why requests are not being built yet', 'why 17')
    .argument('[request]', 'one request; default: all that wait', wholeNumber)
    .action(async (request: number | undefined, { basedir, json }: LiveOptions) => {
      const waiting = await callMaster<readonly Waiting[]>(basedir, 'why', request === undefined ? {} : { request })
      const all = request === undefined ? await callMaster<readonly Scheduler[]>(basedir, 'schedulers', {}) : []
      const schedulers = all.filter((scheduler) => scheduler.waiting !== null)
      if (request !== undefined && waiting.length === 0) throw noSuchRequest(request)
      if (json) return printJson({ requests: waiting, schedulers })
      printTable(waiting.map(rowOf))
      printTable(schedulers.map(({ name, waiting }) => [`scheduler ${name}`, oneLine(waiting ?? '')]))
      if (waiting.length + schedulers.length === 0) print('Nothing waits.')
    })
}

function rowOf({ request, why }: Waiting): readonly string[] {
  const state = request.state === 'waiting' ? oneLine(why?.text ?? 'it is next') : describe(request)
  return [`request ${request.id}`, request.builder, ago(request.submittedAt), state]
}

function describe({ state, builder, buildNumber, merged, result }: RequestView): string {
  const build = buildNumber === null ? '' : ` ${merged ? 'merged into build' : 'build'} ${builder}/${buildNumber}`
  if (state === 'claimed') return `is being built:${build}`
  return build === '' ? `is finished: ${result}` : `is finished:${build}, ${result}`
}
