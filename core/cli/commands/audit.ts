import type { AuditView } from 'boltbot/plugin-sdk'
import type { Command } from 'commander'
import { callMaster } from '../control-client.ts'
import { type LiveOptions, listCommand, wholeNumber } from '../live-command.ts'
import { ago, oneLine, print, printJson, printTable } from '../output.ts'

export function auditCommand(): Command {
  return listCommand(
    'audit',
    'list who asked for what, and whether it was allowed, the newest first',
    'audit --limit 50',
  )
    .option('--limit <count>', 'how many at most', wholeNumber, 20)
    .action(async ({ basedir, json, limit }: LiveOptions & { readonly limit: number }) => {
      const audits = await callMaster<readonly AuditView[]>(basedir, 'audits', { limit })
      if (json) return printJson(audits)
      printTable(audits.map(rowOf))
      if (audits.length === 0) print('Nobody has asked for anything yet.')
    })
}

function rowOf({
  at,
  action,
  who,
  via,
  builder,
  build,
  request,
  slave,
  reason,
  refusal,
}: AuditView): readonly string[] {
  const subject = [
    builder,
    slave,
    build === undefined ? undefined : `build ${build}`,
    request === undefined ? undefined : `request ${request}`,
  ]
  return [
    ago(at),
    action,
    oneLine(subject.filter((one) => one !== undefined).join(' ')),
    oneLine(`${who} (${via})`),
    oneLine(refusal === null ? `allowed${reason === null ? '' : `: ${reason}`}` : `refused: ${refusal}`),
  ]
}
