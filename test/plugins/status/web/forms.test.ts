import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forceScheduler } from 'boltbot/plugins/schedulers'
import { createSite } from './site.ts'

const release = forceScheduler({
  name: 'release & co',
  builders: ['full', 'full-bsd'],
  branch: { type: 'choice', choices: ['main', 'stable'] },
  parameters: {
    version: { type: 'string', required: true, pattern: '\\d+\\.\\d+', label: 'Version', help: 'as in 1.2 <b>' },
    count: { type: 'int', min: 1, max: 9, default: 3 },
    upload: { type: 'bool', default: true },
    hosts: { type: 'choice', choices: ['a', 'b', 'c'], multiple: true },
    mail: { type: 'nested', fields: { to: { type: 'user' }, text: { type: 'text' } } },
  },
})

test('a scheduler with a form is asked by its fields, on its page and on those of its builders', async () => {
  await using site = await createSite({ schedulers: [release] })
  const { rig, jane } = site
  const path = '/schedulers/release%20%26%20co'
  for (const page of [path, '/builders/full']) {
    assert.doesNotMatch(await site.text(page), /field\.version/) // nobody is signed in
    const form = await (await site.get(page, { headers: jane })).text()
    assert.match(form, /<select name="field\.branch"><option>main<\/option><option>stable<\/option><\/select>/)
    assert.match(
      form,
      /Version <span class="help">as in 1\.2 &lt;b&gt;<\/span> <input name="field\.version" value="" spellcheck="false" required>/,
    )
    assert.match(form, /<input type="number" step="1" name="field\.count" value="3" min="1" max="9">/)
    assert.match(form, /<input type="checkbox" name="field\.upload" checked>/)
    assert.match(form, /<select name="field\.hosts" multiple size="3">/)
    assert.match(form, /<fieldset><legend>mail<\/legend>.*name="field\.mail\.to" value="jane"/s)
  }
  const post = (fields: readonly (readonly [string, string])[]) =>
    site.get(`${path}/force`, {
      method: 'POST',
      body: new URLSearchParams(fields.map(([a, b]) => [a, b])),
      headers: jane,
    })
  const wrong = await post([['field.version', 'x']])
  assert.equal(wrong.status, 400)
  assert.match(await wrong.text(), /<h1>Not done<\/h1><p>.*version/)

  const done = await post([
    ['builder', 'full'],
    ['field.branch', 'stable'],
    ['field.version', '1.2'],
    ['field.count', '5'],
    ['field.hosts', 'a'],
    ['field.hosts', 'c'],
    ['field.mail.to', 'joe'],
    ['field.mail.text', 'two\nlines'],
  ])
  assert.deepEqual([done.status, done.headers.get('location')], [303, '/requests/1'])
  await rig.settle()
  const { properties, sourceStamp } = await rig.build('full', 0)
  const value = (name: string) => properties[name]?.value
  assert.equal(sourceStamp.branch, 'stable')
  assert.deepEqual(
    [value('version'), value('count'), value('upload'), value('hosts'), value('mail')],
    ['1.2', 5, false, ['a', 'c'], { to: 'joe', text: 'two\nlines' }],
  )

  const api = await site.get(`/api/v1${path}/force`, {
    method: 'POST',
    headers: jane,
    body: JSON.stringify({ values: { version: '2.0' }, builders: ['full-bsd'] }),
  })
  assert.equal(api.status, 202)
})
