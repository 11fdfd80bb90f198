import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { MUTATIONS } from './mutations.ts'
import type { Invariant } from './verdict.ts'

/** Which promise each defect breaks. */
const SEEN: Readonly<Record<keyof typeof MUTATIONS, Invariant>> = {
  'no-epoch': 'nothing is written about a build that has ended',
  'no-front-requeue': 'interrupted requests go first, then the oldest',
  'no-fairness': 'locks are fair',
  'no-pause-kept': 'a paused slave is given nothing',
  'no-cursor': 'durable plugins miss nothing, in order',
}
const RUN = fileURLToPath(new URL('run.ts', import.meta.url))

describe('simulations see a defect within 300 seeds', { concurrency: 2 }, () => {
  for (const [mutation, invariant] of Object.entries(SEEN)) {
    test(`${mutation}: ${invariant}`, async () => {
      const args = ['--disable-warning=ExperimentalWarning', RUN, '--seeds', '300', '--mutate', mutation]
      const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: 170_000 })
      const ended = new Promise((resolve) => child.on('exit', resolve))
      const [code, out, err] = await Promise.all([ended, text(child.stdout), text(child.stderr)])
      assert.equal(code, 1, `${out.slice(-2000)}${err}`)
      assert.match(out, new RegExp(`seed \\d+: broken: ${invariant}\n`))
    })
  }
})
