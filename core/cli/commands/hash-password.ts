import { text } from 'node:stream/consumers'
import { hashPassword } from 'boltbot/plugin-sdk'
import { Command } from 'commander'
import { badArgument } from '../errors.ts'
import { print } from '../output.ts'

export function hashPasswordCommand(): Command {
  return new Command('hash-password')
    .description('print the hash of a password, to be kept in its place')
    .addHelpText(
      'after',
      '\nExample:\n  $ boltbot hash-password > ci/secrets/web-jane && chmod 600 ci/secrets/web-jane',
    )
    .action(async () => {
      const password = process.stdin.isTTY ? await askHidden() : (await text(process.stdin)).replace(/\r?\n$/, '')
      if (password.length < SHORTEST) throw badArgument('password', '…', `at least ${SHORTEST} characters`)
      print(await hashPassword(password))
    })
}

const SHORTEST = 8

/** Typed at a terminal, unseen. */
async function askHidden(): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  const { stdin, stderr } = process
  let typed = ''
  stderr.write('Password: ')
  stdin.setRawMode(true)
  stdin.setEncoding('utf8')
  stdin.on('data', (keys: string) => {
    for (const key of keys) {
      if (key === '\r' || key === '\n' || key === '\u0004') return resolve(typed)
      if (key === '\u0003') {
        typed = ''
        return resolve('')
      }
      typed = key === '\u007f' || key === '\b' ? typed.slice(0, -1) : typed + key
    }
  })
  try {
    return await promise
  } finally {
    stdin.setRawMode(false)
    stdin.pause()
    stderr.write('\n')
  }
}
