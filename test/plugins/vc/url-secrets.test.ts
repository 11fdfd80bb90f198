import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cvs } from 'boltbot/plugins/vc/cvs'
import { credentialHelper, withLogin } from '../../../plugins/vc/git/credentials.ts'
import { secretsIn, withoutSecrets } from '../../../plugins/vc/url-secrets.ts'
import { createLocalStep } from './command-runner.ts'

test('the secrets of an address are its password, as it is written and as it is meant, and a token in place of a user', () => {
  for (const [address, secrets] of [
    ['https://jane:pass%20word@example.org/x', ['pass%20word', 'pass word']],
    ['https://jane:p@ss:word@example.org/x', ['p@ss:word']],
    ['ssh://jane:100%@example.org/x', ['100%']],
    ['https://ghp_16C7e42F292c6912E7@example.org/x', ['ghp_16C7e42F292c6912E7']],
    ['https://jane@example.org/x', []],
    ['https://example.org/x@HEAD', []],
    ['https://subversion.example.org@HEAD', []],
    ['git@git.example.org:hello.git', []],
    [':pserver:jane:sesame@cvs.example.org:2401/cvsroot', ['sesame']],
    [':pserver:anonymous@cvs.example.org:/cvsroot', []],
    ['--revision', []],
  ] as const)
    assert.deepEqual(secretsIn(address), secrets, address)
})

test('an address is shown without them', () => {
  assert.equal(withoutSecrets('https://jane:p@ss:word@example.org/x@y'), 'https://example.org/x@y')
  assert.equal(withoutSecrets('ssh://jane:p@ss@example.org/x'), 'ssh://jane@example.org/x')
  assert.equal(withoutSecrets('https://example.org/a@b'), 'https://example.org/a@b')
})

test('a checkout tells the slave what of its command line it must not show', async () => {
  const failed = { exitCode: 1, signal: null, cause: 'exit', error: null, elapsed: 0, data: null } as const
  const local = createLocalStep({ directory: '', instead: () => failed })
  await local.run(cvs({ cvsroot: ':pserver:jane:sesame@cvs.example.org:/cvsroot', cvsmodule: 'hello' }))
  const shells = local.asked.filter((command) => command.kind === 'shell')
  assert.ok(shells.length > 0)
  for (const { secrets } of shells) assert.deepEqual(secrets, ['sesame'])
})

test('git is given the login of a web address apart from it, for its own host alone', () => {
  const repourl = 'https://jane:p%40ss@git.example.org/x'
  assert.deepEqual(withLogin({ repourl }), {
    repourl: 'https://git.example.org/x',
    credentials: { username: 'jane', password: 'p@ss' },
  })
  const given = { username: 'ci', password: 'other' }
  assert.equal(withLogin({ repourl, credentials: given }).credentials, given)
  assert.deepEqual(withLogin({ repourl: 'git@git.example.org:x' }), { repourl: 'git@git.example.org:x' })
  const env = credentialHelper('https://git.example.org/x', 'jane', 'p@ss')
  assert.match(env.GIT_CONFIG_PARAMETERS ?? '', /^'credential\.https:\/\/git\.example\.org\.helper=' /)
  assert.equal(env.BOLTBOT_GIT_PASSWORD, 'p@ss')
  for (const odd of ['https://a=b/x', "https://a'b/x", 'ssh://git.example.org/x'])
    assert.deepEqual(credentialHelper(odd, 'jane', 'p@ss'), {}, odd)
})
