import assert from 'node:assert/strict'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createRedactor } from '../../core/redact.ts'
import { createSecrets } from '../../core/secrets.ts'
import { secret } from '../../plugin-sdk/render.ts'

async function createFolder() {
  const directory = await mkdtemp(join(tmpdir(), 'boltbot-test-'))
  const redactor = createRedactor()
  const environment: Record<string, string> = {}
  const secrets = createSecrets({ directory, environment, redactor, checkModes: true })
  const write = (name: string, text: string, mode = 0o600) => writeFile(join(directory, name), text, { mode })
  return {
    secrets,
    redactor,
    environment,
    write,
    directory,
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true }),
  }
}

test('a secret comes from its file, without the last line end, and is hidden from then on', async () => {
  await using folder = await createFolder()
  await folder.write('irc', 'hunter2\n')
  assert.equal(folder.secrets.resolve(secret('irc')), 'hunter2')
  assert.equal(folder.redactor.text('NICKSERV IDENTIFY hunter2'), 'NICKSERV IDENTIFY ***')
})

test('without a file the environment is asked', async () => {
  await using folder = await createFolder()
  folder.environment.BOLTBOT_SECRET_BOT_LINUX = 'from outside'
  assert.equal(folder.secrets.resolve(secret('bot-linux')), 'from outside')
})

test('a changed file counts at the next use', async () => {
  await using folder = await createFolder()
  await folder.write('irc', 'first')
  folder.secrets.resolve(secret('irc'))
  await folder.write('irc', 'second')
  assert.equal(folder.secrets.resolve(secret('irc')), 'second')
})

test('plain text given instead of a secret is what it is', async () => {
  await using folder = await createFolder()
  assert.equal(folder.secrets.resolve('change'), 'change')
  assert.equal(folder.redactor.text('a change'), 'a change')
})

test('a file that others can use is refused, with the command that mends it', async () => {
  await using folder = await createFolder()
  await folder.write('irc', 'hunter2')
  for (const mode of [0o640, 0o604, 0o620, 0o602]) {
    await chmod(join(folder.directory, 'irc'), mode)
    assert.throws(() => folder.secrets.resolve(secret('irc')), {
      code: 'BOLT_SECRETS_MODE',
      hint: `Run: chmod 600 '${join(folder.directory, 'irc')}'`,
    })
  }
})

test('what is missing, empty or named oddly is refused', async () => {
  await using folder = await createFolder()
  await folder.write('empty', '\n')
  assert.throws(() => folder.secrets.resolve(secret('nope')), { code: 'BOLT_SECRETS_UNKNOWN' })
  assert.throws(() => folder.secrets.resolve(secret('empty')), { code: 'BOLT_SECRETS_EMPTY' })
  for (const name of ['../etc/passwd', '.hidden', 'a/b', '', '..'])
    assert.throws(() => folder.secrets.resolve(secret(name)), { code: 'BOLT_SECRETS_NAME' })
})
