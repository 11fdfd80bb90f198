import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { interpolate, type SourceStamp, type Step } from 'boltbot/plugin-sdk'
import { bzr } from 'boltbot/plugins/vc/bzr'
import { darcs } from 'boltbot/plugins/vc/darcs'
import { svn } from 'boltbot/plugins/vc/svn'
import { createLocalStep } from './command-runner.ts'

const FAILED = { exitCode: 1, signal: null, cause: 'exit', error: null, elapsed: 0, data: null } as const
const baseURL = 'https://example.org/hello//'
const KINDS = [
  { kind: 'svn', below: svn({ baseURL }), given: svn({ svnurl: interpolate`${'address'}` }) },
  { kind: 'bzr', below: bzr({ baseURL }), given: bzr({ repourl: interpolate`${'address'}` }) },
  {
    kind: 'darcs',
    below: darcs({ baseURL, defaultBranch: 'trunk' }),
    given: darcs({ repourl: interpolate`${'address'}` }),
  },
]

for (const { kind, below, given } of KINDS) {
  describe(`the address that vc/${kind} checks out`, () => {
    it('is the branch of the build behind the base, else the default branch', async () => {
      assert.match(await asked(below, { branch: '/branches/1.5' }), /https:\/\/example\.org\/hello\/branches\/1\.5[@ ]/)
      assert.match(await asked(below, { branch: null }), /https:\/\/example\.org\/hello\/trunk[@ ]/)
    })

    it('is refused when the branch leads out of the base', async () => {
      for (const branch of ['../private', 'a/../../private', 'a\nb'])
        await assert.rejects(asked(below, { branch }), { message: `("${branch}" cannot be a branch of ${kind})` })
    })

    it('is refused when the program would take it for an option', async () => {
      const branch = 'any'
      assert.match(await asked(given, { branch }, 'https://example.org/one'), /example\.org\/one/)
      await assert.rejects(asked(given, { branch }, '--config=x'), {
        message: '("--config=x" cannot be the address of a repository)',
      })
    })
  })
}

/** What the step had run, where every command fails. Rejects with what the step says when it ran nothing. */
async function asked(step: Step, sourceStamp: Partial<SourceStamp>, address = ''): Promise<string> {
  const local = createLocalStep({ directory: '', sourceStamp, properties: { address }, instead: () => FAILED })
  const { detail } = await local.run(step)
  if (local.asked.length === 0) throw new Error(detail?.join(' '))
  return local.asked.flatMap((command) => (command.kind === 'shell' ? [command.command].flat() : [])).join(' ')
}
