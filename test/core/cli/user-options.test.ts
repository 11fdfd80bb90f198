import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { hasCode } from 'boltbot/plugin-sdk'
import { listOption, readUserOptions, textOption } from '../../../core/cli/user-options.ts'

function folders(context: TestContext): { readonly home: string; readonly deep: string } {
  const root = mkdtempSync(join(tmpdir(), 'boltbot-options-'))
  context.after(() => rmSync(root, { recursive: true }))
  const deep = join(root, 'tree/src/deep')
  mkdirSync(deep, { recursive: true })
  for (const folder of ['home/.buildbot', 'tree/.boltbot']) mkdirSync(join(root, folder), { recursive: true })
  return { home: join(root, 'home'), deep }
}

test('options are found upwards, then at home', (context) => {
  const { home, deep } = folders(context)
  assert.deepEqual(readUserOptions(deep, home), {})
  writeFileSync(join(home, '.buildbot/options'), "master = 'ci.example.org:9989'\n")
  assert.equal(textOption(readUserOptions(deep, home), 'master'), 'ci.example.org:9989')
  writeFileSync(join(deep, '../../.boltbot/options'), '{ "master": "here:1", "try_builders": ["full", "docs"] }')
  assert.equal(textOption(readUserOptions(deep, home), 'master'), 'here:1')
  assert.deepEqual(listOption(readUserOptions(deep, home), 'try_builders'), ['full', 'docs'])
})

test('simple assignments of Python are read', (context) => {
  const { home, deep } = folders(context)
  const lines = [
    '# mine',
    '',
    "try_connect = 'pb'   # how",
    'who = "Jane \\"J\\" Doe"',
    'try_builders = [\'full\', "docs",]',
    'try_more = [',
    "  'a',",
    '  # not this one',
    "  'b',",
    ']',
    'try_wait = True',
    'try_port = 9989',
    'try_dryrun = None',
    "__proto__ = 'x'",
  ]
  writeFileSync(join(home, '.buildbot/options'), lines.join('\n'))
  const options = readUserOptions(deep, home)
  assert.deepEqual(
    [options.try_connect, options.who, options.try_builders, options.try_more, options.try_wait, options.try_port],
    ['pb', 'Jane "J" Doe', ['full', 'docs'], ['a', 'b'], true, 9989],
  )
  assert.equal(options.try_dryrun, null)
  assert.equal(textOption(options, 'try_port'), '9989')
  assert.equal(textOption(options, 'toString'), undefined)
})

test('what is no simple assignment is refused with its line', (context) => {
  const { home, deep } = folders(context)
  for (const text of ["import os\nmaster = 'x'", 'master = os.environ["X"]', 'master', "a = ['x' 'y']", '{ "a": ']) {
    writeFileSync(join(home, '.buildbot/options'), text)
    assert.throws(
      () => readUserOptions(deep, home),
      (error) => hasCode(error, 'BOLT_CLI_OPTIONS_FILE'),
      text,
    )
  }
})
