import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from 'boltbot/plugin-sdk/testing'
import { createAnsi } from '../../../../plugins/status/web/ansi.ts'
import { ago } from '../../../../plugins/status/web/parts/when.ts'
import { createSite } from './site.ts'

const DOCS = '/builders/docs%20%26%20%3Cmore%3E'

test('colours become classes, other control sequences go, and text stays text', () => {
  const line = (...texts: string[]) => {
    const ansi = createAnsi()
    return texts.map((text) => ansi.line(text)).join('\n')
  }
  assert.equal(line('\u001b[31mred\u001b[0m plain'), '<span class="c1">red</span> plain')
  assert.equal(
    line('\u001b[1;92mgood', 'still\u001b[22;39m not'),
    '<span class="c10 bold">good</span>\n<span class="c10 bold">still</span> not',
  )
  assert.equal(
    line('\u001b[38;5;196ma\u001b[38;2;0;0;255mb\u001b[48;5;0mc'),
    '<span class="c9">a</span><span class="c12">b</span><span class="c12 b0">c</span>',
  )
  assert.equal(line('\u001b[7minverse\u001b[27m'), '<span class="cn bn">inverse</span>')
  assert.equal(line('\u001b]0;title\u0007<b>\u001b[2K\u001b[1A&\u001b[?25l'), '&lt;b&gt;&amp;')
  assert.equal(line('10%\r50%\r100%\r'), '100%')
  assert.equal(line('\u001b[999;;38;5m\u001b[mx\u0000\u0007'), 'x')
})

test('a log shows its streams with anchors for lines, and raw is what was printed, also in parts', async () => {
  await using site = await createSite()
  await site.change('r1')
  const path = '/builders/full/builds/0/steps/0/logs/stdio'
  const page = await site.text(path)
  assert.match(
    page,
    /<div class="line" id="L1"><a href="#L1" data-n="1" aria-label="line 1"><\/a><span>cc -c hello\.c<\/span>/,
  )
  assert.match(page, /id="L2".*<span class="stderr">hello\.c:3: <span class="c3">warning<\/span>: unused<\/span>/)
  assert.match(await site.text('/builders/full/builds/0/steps/compile/logs/stdio'), /id="L2"/) // a step by its name
  const raw = await site.get(`${path}/raw`)
  const whole = await raw.text()
  assert.equal(whole, 'cc -c hello.c\nhello.c:3: \u001b[33mwarning\u001b[0m: unused\n')
  assert.equal(raw.headers.get('content-type'), 'text/plain; charset=utf-8')
  assert.equal((await site.get(`${path}/raw`, { headers: { 'if-none-match': raw.headers.get('etag')! } })).status, 304)
  const part = async (range: string) => {
    const answer = await site.get(`${path}/raw`, { headers: { range } })
    return [answer.status, answer.headers.get('content-range'), await answer.text()]
  }
  const size = Buffer.byteLength(whole)
  assert.deepEqual(await part('bytes=3-5'), [206, `bytes 3-5/${size}`, '-c '])
  assert.deepEqual(await part('bytes=-8'), [206, `bytes ${size - 8}-${size - 1}/${size}`, ' unused\n'])
  assert.equal((await part('bytes=9999-'))[0], 416)
})

test('of a huge log only a part is read and shown, with ways to the rest', async () => {
  await using site = await createSite()
  const { rig } = site
  await rig.master.force({ builder: 'docs & <more>', who: 'jane', reason: 'x' }, 'test')
  await rig.settle()
  const build = await rig.build('docs & <more>', 0)
  const key = { build: build.id, step: 0, log: 'stdio', epoch: build.epoch }
  const text = Array.from({ length: 250_000 }, (_, i) => `line ${i + 2} of very many`).join('\n')
  await rig.logStore.append(key, 'stdout', Buffer.from(`${text}\n`))
  const path = `${DOCS}/builds/0/steps/0/logs/stdio`
  const shown = (page: string) => {
    const lines = [...page.matchAll(/id="L(\d+)"/g)].map((match) => Number(match[1]))
    return [lines[0], lines.at(-1), lines.length]
  }
  const end = await site.text(path)
  assert.deepEqual(shown(end), [248_002, 250_001, 2000])
  assert.match(end, />line 250001 of very many</)
  assert.match(end, /data-log="[^"]+\/live\?line=250002"/)
  const start = await site.text(`${path}?line=1`)
  assert.deepEqual(shown(start), [1, 2000, 2000])
  assert.doesNotMatch(start, /data-log/)
  assert.match(start, /href="[^"]+\?line=2001">Later</)
  assert.deepEqual(shown(await site.text(`${path}?line=999999999`)), [250_001, 250_001, 1])
  await rig.logStore.append(key, 'stdout', Buffer.from(`${'x'.repeat(3_000_000)}\nafter\n`))
  const long = await site.text(`${path}?line=250000`)
  assert.match(long, /cut, the raw log has the rest/)
  assert.ok(long.length < 100_000)
  assert.match(long, />after</)
})

test('a running log comes line by line, goes on where it broke off, and ends with its step', async () => {
  await using site = await createSite()
  const { rig, bsd } = site
  await rig.master.force({ builder: 'docs & <more>', who: 'jane', reason: 'x' }, 'test')
  await rig.settle()
  const path = `${DOCS}/builds/0/steps/0/logs/stdio`
  assert.match(await site.text(path), /data-log="[^"]+\/live\?line=2"/)
  const follow = async (headers: Readonly<Record<string, string>> = {}) => {
    const answer = await site.get(`${path}/live?line=2`, { headers })
    const events: string[] = []
    const done = (async () => {
      for await (const piece of answer.body!.pipeThrough(new TextDecoderStream())) events.push(piece)
    })()
    return { text: () => events.join(''), done }
  }
  const build = await rig.build('docs & <more>', 0)
  const key = { build: build.id, step: 0, log: 'stdio', epoch: build.epoch }
  const stream = await follow()
  await rig.logStore.append(key, 'stdout', Buffer.from('page 2\npag'))
  await rig.clock.advance('5s')
  await until(() => stream.text().includes('page 2'), { what: 'the second line' })
  assert.match(stream.text(), /^id: 3\nevent: lines\ndata: <div class="line" id="L2">/)
  assert.doesNotMatch(stream.text(), /L3/)

  const again = await follow({ 'last-event-id': '3' })
  await rig.logStore.append(key, 'stdout', Buffer.from('e 3'))
  bsd.finish()
  await rig.settle()
  await rig.clock.advance('5s')
  await until(Promise.all([stream.done, again.done]), { what: 'the end of the streams' })
  assert.match(stream.text(), /id="L3".*page 3.*event: end/s)
  assert.doesNotMatch(again.text(), /page 2/)
  assert.match(again.text(), /page 3/)
})

test('an open page is told when something on it has changed, and not of other things', async () => {
  await using site = await createSite()
  const watch = async (topic: string) => {
    const answer = await site.get(`/live?topic=${topic}`)
    const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader()
    let text = ''
    const done = (async () => {
      for (let next = await reader.read(); !next.done; next = await reader.read()) text += next.value
    })()
    return { text: () => text, close: () => reader.cancel(), done }
  }
  const [full, docs] = [await watch('builder:full'), await watch('builder:docs%20%26%20%3Cmore%3E')]
  await until(() => full.text().includes('hello') && docs.text().includes('hello'), { what: 'the greetings' })
  await site.change('r1')
  await until(() => full.text().includes('event: changed'), { what: 'the news' })
  assert.doesNotMatch(docs.text(), /changed/)
  await full.close()
  await docs.close()
})

test('times are told as people tell them', () => {
  const told = [0, 9, 12, 59, 60, 3599, 3600, 7200, 86_400, 172_800].map((seconds) => ago(seconds * 1000))
  assert.deepEqual(told, [
    'just now',
    'just now',
    '12 s ago',
    '59 s ago',
    '1 min ago',
    '59 min ago',
    '1 hour ago',
    '2 hours ago',
    '1 day ago',
    '2 days ago',
  ])
  assert.deepEqual([ago(-5000), ago(-90_000)], ['in a moment', 'in 1 min'])
})
