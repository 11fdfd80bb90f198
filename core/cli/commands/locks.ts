import type { LockUser, LockView } from 'boltbot/plugin-sdk'
import type { Command } from 'commander'
import { callMaster } from '../control-client.ts'
import { type LiveOptions, listCommand } from '../live-command.ts'
import { print, printJson, printTable } from '../output.ts'

export function locksCommand(): Command {
  return listCommand('locks', 'list locks that are held or waited for', 'locks').action(
    async ({ basedir, json }: LiveOptions) => {
      const locks = await callMaster<readonly LockView[]>(basedir, 'locks', {})
      if (json) return printJson(locks)
      printTable(locks.map(rowOf))
      if (locks.length === 0) print('No lock is held or waited for.')
    },
  )
}

function rowOf({ name, capacity, holders, waiting }: LockView): readonly string[] {
  const used = holders.length === 0 ? 'free' : `held by ${holders.map(userText).join(', ')}`
  const row = waiting.length === 0 ? '' : `waited for by ${waiting.map(userText).join(', ')}`
  return [name, `${holders.length} of ${capacity}`, used, row]
}

const userText = ({ who, mode }: LockUser) => (mode === 'exclusive' ? `${who} (alone)` : who)
