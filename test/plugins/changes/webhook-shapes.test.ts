import assert from 'node:assert/strict'
import { globSync } from 'node:fs'
import { test } from 'node:test'
import { CiError } from 'boltbot/plugin-sdk'
import { createSeededRandom, createTestHost } from 'boltbot/plugin-sdk/testing'
import { type ForgeName, webhook } from 'boltbot/plugins/changes/webhook'
import { createChanges } from '../../../core/changes.ts'
import { delivery, payloadOf, post, SECRET } from './webhook-delivery.ts'

/** Whatever stands where in a payload: it is answered, nothing throws, and what is handed in is a change the master takes. */

const SEED = Number(process.env.SEED ?? Date.now() % 1_000_000)
const ROUNDS = 40
const ODD: readonly unknown[] = [
  null,
  0,
  -1,
  1e300,
  '',
  'x',
  '\0',
  '__proto__',
  true,
  [],
  {},
  [[]],
  { a: { b: [] } },
  ['x'],
]
const FORGES: Readonly<Record<string, readonly [ForgeName, push: string, pull: string]>> = {
  github: ['github', 'push', 'pull_request'],
  gitlab: ['gitlab', 'push', 'merge_request'],
  gitea: ['gitea', 'push', 'pull_request'],
  'bitbucket-cloud': ['bitbucketCloud', 'repo:push', 'pullrequest:created'],
  'bitbucket-server': ['bitbucketServer', 'repo:refs_changed', 'pr:opened'],
}

const random = createSeededRandom(SEED)
const pick = <T>(items: readonly T[]): T => items[Math.floor(random.next() * items.length)]!

/** Something else, or nothing, at a place by chance. */
function spoiled(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || random.next() < 0.1) return pick(ODD)
  const keys = Object.keys(value)
  if (keys.length === 0) return pick(ODD)
  const key = pick(keys)
  const copy = structuredClone(value) as Record<string, unknown>
  if (random.next() < 0.15) delete copy[key]
  else copy[key] = spoiled(copy[key])
  return copy
}

for (const [folder, [forge, push, pull]] of Object.entries(FORGES))
  test(`payloads of ${forge} in any shape are answered (seed ${SEED})`, async () => {
    const checks = createChanges({
      store: { transition: async () => ({ change: { id: 1 }, duplicate: false }) } as never,
      refine: async ({ source: _, ...change }) => change,
    })
    await using host = createTestHost({
      override: {
        async submitChange(change) {
          try {
            return await checks.submit(change, 'test')
          } catch (error) {
            // The one thing that is left to the master: text no store takes.
            assert.ok(
              error instanceof CiError && /NUL|longer/.test(error.message),
              `${error}: ${JSON.stringify(change)}`,
            )
            throw error
          }
        },
      },
    })
    await host.run(webhook({ forge, secret: SECRET, tags: true, pullRequests: 'all' }))
    const files = globSync('*.json', { cwd: new URL(`../../fixtures/webhooks/${folder}/`, import.meta.url).pathname })
    assert.ok(files.length > 0)
    for (const file of files) {
      const whole: unknown = JSON.parse(payloadOf(`${folder}/${file.replace(/\.json$/, '')}`))
      for (let i = 0; i < ROUNDS; i++) {
        let payload = spoiled(whole)
        while (random.next() < 0.3) payload = spoiled(payload)
        const body = JSON.stringify(payload) ?? 'null'
        const { status, text } = await post(host, delivery(forge, /pull|merge/.test(file) ? pull : push, body))
        assert.ok([200, 400].includes(status), `${status} ${text} for ${body}`)
        assert.match(text, /^[A-Z0-9"].*\.$/s, body)
      }
    }
  })
