// A process that runs one command after the other. What each prints goes back with its exit code.
import { main } from '../../core/cli/main.ts'

export interface Asked {
  readonly cwd: string
  readonly args: readonly string[]
}

const streams = { out: process.stdout, err: process.stderr }
process.on('message', async ({ cwd, args }: Asked) => {
  const printed = { out: '', err: '' }
  for (const [name, stream] of Object.entries(streams) as ['out' | 'err', NodeJS.WriteStream][])
    stream.write = (text: string | Uint8Array) => {
      printed[name] += String(text)
      return true
    }
  process.chdir(cwd)
  process.exitCode = 0
  await main(['node', 'boltbot', ...args])
  process.send!({ code: process.exitCode, ...printed })
})
