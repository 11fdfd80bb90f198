import type { Change } from 'boltbot/plugin-sdk'
import type { Command } from 'commander'
import { callMaster } from '../control-client.ts'
import { type LiveOptions, listCommand, wholeNumber } from '../live-command.ts'
import { ago, oneLine, print, printJson, printTable } from '../output.ts'

export function changesCommand(): Command {
  return listCommand('changes', 'list changes, the newest first', 'changes --limit 5')
    .option('--limit <count>', 'how many at most', wholeNumber, 20)
    .action(async ({ basedir, json, limit }: LiveOptions & { readonly limit: number }) => {
      const changes = await callMaster<readonly Change[]>(basedir, 'changes', { limit })
      if (json) return printJson(changes)
      printTable(changes.map(rowOf))
      if (changes.length === 0) print('There are no changes.')
    })
}

function rowOf({ id, who, branch, revision, when, comments }: Change): readonly string[] {
  const source = oneLine(`${branch ?? 'default'}@${revision?.slice(0, 12) ?? '?'}`)
  return [`${id}`, oneLine(who), source, ago(when), oneLine(comments.split('\n')[0] ?? '')]
}
