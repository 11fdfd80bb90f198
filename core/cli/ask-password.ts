import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { optionMissing } from './errors.ts'

/** Asks on the terminal, and does not show what is typed. `option`: what to use where there is none. @throws CiError when there is no terminal. */
export async function askPassword(user: string, option = '--auth', example = `${user}:PASSWORD`): Promise<string> {
  if (!process.stdin.isTTY) throw optionMissing(option, `${option} ${example}`)
  process.stderr.write(`Password of ${user}: `)
  const silent = new Writable({ write: (_, __, done) => done() })
  const lines = createInterface({ input: process.stdin, output: silent, terminal: true })
  try {
    return await lines.question('')
  } finally {
    lines.close()
    process.stderr.write('\n')
  }
}
