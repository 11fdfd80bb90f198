import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import type { BuildFinished, Notice, Result, StepView } from 'boltbot/plugin-sdk'
import { createTestHost } from 'boltbot/plugin-sdk/testing'
import { type MailOptions, mailNotifier } from 'boltbot/plugins/status/mail'
import { type ParsedMail, simpleParser } from 'mailparser'
import { AT, buildView, change, finished } from './events.ts'
import { createSmtpSink } from './smtp-sink.ts'
import { baseOf, subjectsOf, threadsOf } from './threads.ts'

interface Build {
  readonly result: Result
  readonly step?: string
  readonly branch?: string
}

/** Mails about builds, one after the other, as a mail server got them; each event comes twice, as after a crash. */
async function mailsOf(builds: readonly Build[], options: Partial<MailOptions> = {}): Promise<readonly ParsedMail[]> {
  await using sink = await createSmtpSink()
  let step = 'compile'
  await using host = createTestHost({
    query: {
      project: () => ({ name: 'Hello', url: null }),
      build: async () => buildView({ changes: [change()], steps: [failed(step)] }),
      logTail: async () => 'make: *** <Error> & more\n',
      log: async () => ({ bytes: 5, lines: 1, running: false }),
      readLog: async () => ({
        pieces: [{ offset: 0, stream: 'stdout', data: Buffer.from('bytes') }],
        next: 5,
        finished: true,
      }),
    },
  })
  const server = { relayhost: '127.0.0.1', smtpPort: sink.port, extraRecipients: ['team@example.org'] }
  await host.run(mailNotifier({ fromaddr: 'ci@example.org', ...server, sendToInterestedUsers: false, ...options }))
  const last = new Map<string, Result>()
  for (const [i, { result, branch = 'main', ...more }] of builds.entries()) {
    step = more.step ?? 'compile'
    const previousResult = last.get(branch) ?? null
    last.set(branch, result)
    const event: BuildFinished = finished({ eventId: i + 1, build: i + 1, number: i, branch, result, previousResult })
    await host.fire('buildFinished', event)
    await host.fire('buildFinished', event)
  }
  const keys = new Set<string>()
  for (const notice of host.records.notices) {
    const again = keys.has(notice.key)
    if (again) assert.deepEqual(sameOf(notice), sameOf(host.records.notices.find(({ key }) => key === notice.key)!))
    keys.add(notice.key)
    if (again) continue
    const { to: _, key, urgency = 'normal', ...rest } = notice
    const common = { id: 1, ref: key, attempt: 1, inDoubt: false, createdAt: AT, address: 'team@example.org', urgency }
    const signal = new AbortController().signal
    assert.deepEqual(await host.records.carriers[0]!.deliver({ ...rest, ...common }, { signal }), {
      status: 'delivered',
    })
  }
  return Promise.all(sink.mails.map(({ raw }) => simpleParser(raw)))
}

const sameOf = ({ subject, text, extra }: Notice) => [subject, text, extra]

const failed = (name: string): StepView => ({
  number: 0,
  name,
  text: `${name} failed`,
  startedAt: AT,
  finishedAt: AT,
  result: 'failure',
  logs: ['stdio'],
})

test('a red streak of a builder and branch is one thread, with one base subject', async () => {
  const mails = await mailsOf([
    { result: 'success' },
    { result: 'failure' },
    { result: 'failure', branch: 'side' },
    { result: 'failure' },
    { result: 'failure', step: 'test' },
    { result: 'success' },
    { result: 'failure' },
  ])
  const threads = threadsOf(mails)
  assert.deepEqual(threads.map(subjectsOf), [
    ['[success] Hello: full (main), #0'],
    [
      '[first failure] Hello: full (main), broken since #1',
      '[still failing] Hello: full (main), broken since #1',
      '[new kind of failure] Hello: full (main), broken since #1',
      '[fixed] Hello: full (main), broken since #1',
    ],
    ['[first failure] Hello: full (side), broken since #2'],
    ['[first failure] Hello: full (main), broken since #6'],
  ])
  for (const thread of threads) assert.equal(new Set(thread.map(baseOf)).size, 1)
  const [first] = threads[1]!
  assert.ok(first?.references, 'the first mail of a streak has References too')
})

test('a thread holds though its first mail is not sent', async () => {
  const builds: readonly Build[] = [{ result: 'failure' }, { result: 'failure', step: 'test' }, { result: 'success' }]
  const mails = await mailsOf(builds, { mode: ['passing', 'change'] })
  assert.deepEqual(subjectsOf(mails), ['[fixed] Hello: full (main), broken since #0'])
  const all = [...(await mailsOf(builds, { mode: 'problem' })), ...mails]
  assert.equal(threadsOf(all).length, 1)
})

test('builds that say nothing of the code neither end a streak nor begin one', async () => {
  const mails = await mailsOf([{ result: 'failure' }, { result: 'cancelled' }], { mode: ['failing', 'cancelled'] })
  assert.deepEqual(subjectsOf(mails), [
    '[first failure] Hello: full (main), broken since #0',
    '[cancelled] Hello: full (main), #1',
  ])
})

test('text and HTML say the same, and words of strangers stay words', async () => {
  const [mail] = await mailsOf([{ result: 'failure' }])
  assert.ok(mail && typeof mail.html === 'string')
  assert.match(mail.html, /make: \*\*\* &#60;Error&#62; &#38; more/)
  assert.match(mail.html, /href="http:\/\/localhost:8010\/builders\/full\/builds\/0"/)
  assert.match(mail.text ?? '', /make: \*\*\* <Error> & more/)
  assert.doesNotMatch(mail.html, /<script|<Error/)
})

test('filters find their headers on every mail', async () => {
  const [mail] = await mailsOf([{ result: 'failure' }], { extraHeaders: { 'Reply-To': 'ci-team@example.org' } })
  const header = (name: string) => {
    const value = mail?.headers.get(name)
    return typeof value === 'string' ? value : JSON.stringify(value)
  }
  assert.match(header('list'), /full\.hello\.example\.org/)
  assert.equal(header('x-auto-response-suppress'), 'All')
  assert.equal(header('x-boltbot-standing'), 'first failure')
  assert.equal(header('x-boltbot-why'), 'you are on the list of this notifier')
  assert.equal(mail?.replyTo?.text, 'ci-team@example.org')
})

test('logs are attached packed: of the step that failed, or those that are named', async () => {
  const named = async (addLogs: NonNullable<MailOptions['addLogs']>) =>
    (await mailsOf([{ result: 'failure' }], { addLogs }))[0]?.attachments ?? []
  const [log, ...more] = await named(true)
  assert.deepEqual([log?.filename, more.length], ['compile.stdio.log.gz', 0])
  assert.equal(gunzipSync(log!.content).toString(), 'bytes')
  assert.equal((await named(['compile.stdio'])).length, 1)
  assert.equal((await named(['test'])).length, 0)
  assert.equal((await named(false)).length, 0)
})

test('a template gives text or HTML of its own; what it leaves out stays', async () => {
  const [mail] = await mailsOf([{ result: 'failure' }], {
    template: ({ told, event }, standard) => ({
      text: `${event.builder}: ${told.standing}\n${standard.text.length > 100}\n`,
    }),
  })
  assert.equal(mail?.text, 'full: first failure\ntrue\n')
  assert.match(String(mail?.html), /What to do/)
})

test('a preview shows the mail and sends nothing', async () => {
  const build = buildView({ steps: [failed('compile')], result: 'failure', finishedAt: AT, blamelist: [] })
  await using host = createTestHost({ query: { build: async () => build, logTail: async () => 'Error 1\n' } })
  const instance = mailNotifier({ fromaddr: 'ci@example.org', extraRecipients: ['team@example.org'] })
  await host.run(instance)
  const checked = instance.definition.schema?.['~standard'].validate(instance.options)
  const options = checked && 'value' in checked ? checked.value : {}
  const preview = await instance.definition.preview?.(host.host, options as never, build)
  assert.match(
    preview ?? '',
    /^From: ci@example.org\nTo: team@example.org\nSubject: \[first failure\] Test: full \(main\), #12\n/,
  )
  assert.match(preview ?? '', /\n {2}Error 1\n/)
  assert.equal(host.records.notices.length, 0)
  const running = { ...build, result: null, finishedAt: null }
  assert.equal(await instance.definition.preview?.(host.host, options as never, running), null)
})
