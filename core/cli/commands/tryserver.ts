import { randomBytes } from 'node:crypto'
import { mkdir, open, rename } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { Command } from 'commander'
import { basedirUnusable } from '../errors.ts'

export function tryserverCommand(): Command {
  return new Command('tryserver')
    .description('put a job of try, from standard input, into a job directory; called by "boltbot try --connect=ssh"')
    .requiredOption('--jobdir <dir>', 'the jobdir of a tryJobdir scheduler')
    .addHelpText('after', '\nExample:\n  $ boltbot tryserver --jobdir ci/jobdir < job')
    .action(async ({ jobdir }: { readonly jobdir: string }) => {
      const job = await buffer(process.stdin)
      const name = `${Date.now()}.${process.pid}_${randomBytes(4).toString('hex')}.${hostname().replace(/[^\w.-]/g, '_')}`
      try {
        for (const folder of ['tmp', 'new']) await mkdir(join(jobdir, folder), { recursive: true })
        const file = await open(join(jobdir, 'tmp', name), 'wx')
        await file.writeFile(job)
        await file.sync()
        await file.close()
        await rename(join(jobdir, 'tmp', name), join(jobdir, 'new', name)) // whole, or not there
      } catch (error) {
        throw basedirUnusable(jobdir, 'written to', error)
      }
    })
}
