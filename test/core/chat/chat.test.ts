import assert from 'node:assert/strict'
import { test } from 'node:test'
import { builder, buildFactory, CiError, definePlugin } from 'boltbot/plugin-sdk'
import { commit, sh } from '../../rig/parts.ts'
import { chatConfig, createChatRig, openPlace } from './rig.ts'

const TWO_MINUTES = 120_000

test('who forces a build is told of it when it starts and when it has ended', async () => {
  await using talk = await createChatRig()
  const { rig, ask, news } = talk
  const slave = await rig.slave('bot-1', [{ match: 'make', hang: true }])

  assert.equal(
    await ask('force build --branch release --prop colour=red --revision r9 full "after the move"'),
    'Build of full is asked for: request #1. I will tell you when it starts and when it has ended.',
  )
  assert.deepEqual(await news(), ['jane: build full #0 has started on bot-1'])
  const build = await rig.build('full', 0)
  assert.equal(build.reason, 'after the move')
  assert.deepEqual([build.sourceStamp.branch, build.sourceStamp.revision], ['release', 'r9'])
  assert.equal(build.properties.colour?.value, 'red')
  assert.equal(build.properties.owner?.value, 'jane')
  await rig.clock.advance(TWO_MINUTES)
  slave.finish()
  assert.deepEqual(await news(), ['jane: build full #0 has ended after 2m: success'])
  await ask('force build full again')
  assert.equal((await news()).length, 1)
})

test('a build that nothing can run at present says so, and why says it again', async () => {
  await using talk = await createChatRig()
  assert.match(await talk.ask('force full'), /Mind: no slave of "full" is attached/)
  await talk.news()
  assert.match(await talk.ask('why full'), /^Request #1 of full waits: .*bot-1.*\.$/)
  assert.match(await talk.ask('why #1'), /^Request #1 waits: /)
  assert.equal(await talk.ask('why 99'), 'There is no request #99.')
  assert.equal(await talk.ask('cancel #1 never mind', 'joe'), 'Request #1 is cancelled.')
  assert.deepEqual(await talk.news(), ['jane: request #1 was cancelled by joe: never mind'])
  assert.equal(await talk.ask('why full'), 'Nothing waits for full.')
})

test('who cancels what they asked for is told once; who is cancelled by somebody else is told too', async () => {
  await using talk = await createChatRig()
  await talk.ask('force full')
  assert.equal(await talk.ask('cancel #1 never mind'), 'Request #1 is cancelled.')
  await talk.ask('force full')
  const other = openPlace(talk.rig, { id: 'test/#other' })
  await other.ask('cancel #2')
  assert.deepEqual(await talk.news(), ['jane: request #2 was cancelled by jane: jane asked for it in test/#other'])
})

test('who follows several requests and watches, all of one build, is told once', async () => {
  await using talk = await createChatRig()
  const { rig, ask, news } = talk
  await ask('force build full one')
  await ask('force build full two')
  const slave = await rig.slave('bot-1', [{ match: 'make', hang: true }])
  assert.deepEqual(await news(), ['jane: build full #0 has started on bot-1'])
  await ask('watch full')
  await ask('watch full')
  slave.finish()
  assert.deepEqual(await news(), ['jane: build full #0 has ended after 0s: success'])
})

test('a number behind the builder is of the build that is meant, never a reason to stop another', async () => {
  await using talk = await createChatRig()
  const { rig, ask } = talk
  assert.equal(await ask('rebuild full'), 'full was never built. Say "force build full REASON" for the first one.')
  const slave = await rig.slave('bot-1', [{ match: 'make', hang: true }])
  await ask('force build full')
  await rig.settle()
  slave.finish()
  await rig.settle()
  await ask('force build full again')
  await rig.settle()
  assert.match(await ask('stop build full #0 too late'), /^Build full\/0 is not running\./)
  assert.match(await ask('stop build full #7 x'), /^There is no build full #7\. The last one is #\d\./)
  assert.match(await ask('status full'), /full: building/)
})

test('watch tells the end of a running build, or says there is none', async () => {
  await using talk = await createChatRig()
  const { rig, ask, news } = talk
  const slave = await rig.slave('bot-1', [{ match: 'make', hang: true, result: 1 }])
  assert.match(await ask('watch full'), /^No build of "full" runs\. Say "why full"/)
  await rig.master.submitChange(commit('r1'), 'test')
  await rig.settle()
  assert.equal(await ask('watch full', 'joe'), 'I watch it: build full #0 runs on bot-1 since 0s: running make.')
  slave.finish()
  assert.deepEqual(await news(), ['joe: build full #0 has ended after 0s: failure (failed sh)'])
})

test('stop stops, with the reason in the build; the asker hears the end of it', async () => {
  await using talk = await createChatRig()
  const { rig, ask, news } = talk
  await rig.slave('bot-1', [{ match: 'make', hang: true }])
  await ask('force build full')
  await news()
  assert.equal(await ask("stop build full it's the wrong branch", 'joe'), 'Build full #0 is being stopped.')
  await rig.settle()
  assert.match(talk.said.at(-1)!, /^jane: build full #0 has ended after 0s: cancelled/)
  assert.match(await ask('stop build full'), /^No build of "full" runs\./)
  assert.match(await ask('stop build full/7'), /^There is no build full #7\. The last one is #0\./)
})

test('rebuild, pause and resume go through the same actions as elsewhere', async () => {
  await using talk = await createChatRig()
  const { rig, ask, news } = talk
  await rig.slave('bot-1')
  await rig.master.submitChange(commit('r1'), 'test')
  await rig.settle()
  assert.match(await ask('rebuild full/0 the disk was full'), /^Build of full is asked for: request #2\./)
  assert.deepEqual(await news(), [
    'jane: build full #1 has started on bot-1, done any moment',
    'jane: build full #1 has ended after 0s: success',
  ])
  assert.equal(await ask('pause bot-1 new disk'), 'Slave bot-1 is given no builds until it is resumed.')
  assert.match(await ask('list slaves'), /bot-1: idle, paused by jane: new disk/)
  assert.equal(await ask('resume bot-1'), 'Slave bot-1 is given builds again.')
  assert.match(await ask('pause bot-3'), /^There is no slave "bot-3"\. Did you mean "bot-1"\?/)
})

test('what is wrong is said with the nearest right word', async () => {
  await using talk = await createChatRig()
  const answers: readonly (readonly [string, RegExp])[] = [
    ['', /^Yes\? Say "help"/],
    ['stauts', /^"stauts" is not a command\. Did you mean "status"\? Say "commands"/],
    ['forc build full', /^"forc" is not a command\. Did you mean "force"/],
    ['status ful', /^There is no builder "ful"\. Did you mean "full"\?/],
    ['STATUS Full', /^full: offline/],
    ['force build', /^Usage: force build \[--branch NAME\].* BUILDER REASON\./],
    ['force build --brunch x full', /^"--brunch" is not an option here\. Known: --branch/],
    ['force build --prop colour full', /^Usage: --prop NAME=VALUE\./],
    ['force build "full', /^A quote \("\) is not closed\./],
    ['notify on failre', /^There is no event "failre"\. Did you mean "failure"\?/],
    ['slaves', /^"slaves" is not a command\. Did you mean "slaves missing"\?/],
    ['slaves mising', /^"slaves mising" is not a command\. Did you mean "slaves missing"\?/],
    ['rebuild full', /^full was never built\. Say "force build full REASON" for the first one\./],
    ['list builder', /^There is no list "builder"\. Did you mean "builders"\?/],
    ['list', /^Usage: list builders\|slaves/],
    ['join #x', /^"join" makes no sense here: there are no channels\./],
    ['reconfig', /^"reconfig" makes no sense here: /],
    ['slave away bot-1', /^"slave" is not a command\. Did you mean "slaves missing"\?/],
    ['x'.repeat(3000), /^A line of more than 2000 characters/],
  ]
  for (const [line, answer] of answers) assert.match(await talk.ask(line), answer, line.slice(0, 60))
})

test('every command has a help with usage and example, and its example is a command', async () => {
  await using talk = await createChatRig()
  const names = (await talk.ask('commands')).split(/, |\n/)
  assert.ok(names.length >= 27, `${names.length} commands`)
  for (const name of names) {
    const help = await talk.ask(`help ${name}`)
    assert.match(help, new RegExp(`^${name}.*: .*\\.\nExample: ${name.split(' ')[0]}`), name)
  }
  assert.match(await talk.ask('help'), /"commands" lists all/)
  assert.match(await talk.ask('help stauts'), /Did you mean "status"/)
})

test('status, last, eta, blame and the lists say what is', async () => {
  await using talk = await createChatRig()
  const { rig, ask } = talk
  await rig.slave('bot-1', [
    { match: 'make', times: 1, result: 1 },
    { match: 'make', hang: true },
  ])
  assert.equal(await ask('status'), 'Nothing runs, and none of 2 builders is red.')
  assert.equal(await ask('last'), 'full: no build has ended yet\ndocs: no build has ended yet')
  assert.equal(await ask('blame full'), 'full is not broken.')
  await rig.master.submitChange(commit('r1', { who: 'Jane Doe <jane@example.org>' }), 'test')
  await rig.settle()
  assert.equal(await ask('status'), 'full: idle, last build #0 failure')
  assert.equal(await ask('last full'), 'build full #0 ended 0s ago: failure (failed sh)')
  assert.equal(await ask('blame full'), 'full is red since full #0, 0s ago; in that build: Jane Doe')
  assert.match(await ask('list changes'), /^#1 Jane Doe main@r1: commit r1$/)
  assert.equal(await ask('eta'), 'Nothing runs.')
  await rig.master.submitChange(commit('r2'), 'test')
  await rig.settle()
  assert.match(
    await ask('status all'),
    /^full: building.*\nbuild full #1 runs on bot-1 since 0s: running make\ndocs: offline, never built$/,
  )
  assert.equal(await ask('eta full'), 'full #1: not known yet, no good build of it was seen')
  assert.equal(await ask('list builders'), 'full: building, last build #0 failure\ndocs: offline, never built')
  assert.match(await ask('slaves missing'), /^bot-2: away, never seen$/)
  assert.match(await ask('list schedulers'), /^each: idle$/)
  assert.equal(await ask('version'), 'Boltbot (not installed)')
  assert.match(await ask('hello'), /^Hello jane\. I build Rig\./)
  assert.match(await ask('source'), /^Rig\n/)
  assert.equal((await ask('dance')).split('\n').length, 3)
})

test('news are told where they are wanted, filtered, and remembered over a restart', async () => {
  await using talk = await createChatRig(chatConfig(), { notify: ['problem', 'recovery'], categories: ['active'] })
  const { rig, ask, news } = talk
  await rig.slave('bot-1', [{ match: 'make', times: 2, result: 1 }])
  await rig.slave('bot-2', [{ match: 'tex', result: 1 }])
  await rig.master.submitChange(commit('r1'), 'test')
  await rig.master.force({ builder: 'docs', who: 'jane', reason: 'x' }, 'test')
  assert.deepEqual(await news(), ['build full #0 of main has ended: failure (failed sh). Changes by jane.'])
  await rig.master.submitChange(commit('r2'), 'test')
  assert.deepEqual(await news(), [], 'still failing is no news')
  await rig.master.submitChange(commit('r3'), 'test')
  assert.deepEqual(await news(), ['build full #2 of main has ended: success, it is green again.'])
  assert.equal(await ask('notify on started finished'), 'Told here: problem, recovery, started, finished.')
  assert.equal(await ask('notify off recovery problem'), 'Told here: started, finished.')
  await rig.master.submitChange(commit('r4'), 'test')
  assert.equal((await news()).length, 2)
  await using again = openPlace(await rig.restart(), { notify: ['problem'] })
  assert.equal(await again.ask('notify list'), 'Told here: started, finished.')
  assert.equal(await again.ask('mute'), 'I keep quiet here. "unmute" ends that.')
  await again.rig.slave('bot-1')
  await again.rig.master.submitChange(commit('r5'), 'test')
  assert.deepEqual(await again.news(), [])
  assert.match(await again.ask('notify'), /But I am muted/)
  await again.ask('unmute')
  await again.rig.master.submitChange(commit('r6'), 'test')
  assert.equal((await again.news()).length, 2)
  assert.match(await again.ask('notify off'), /^Nothing is told here\. "notify on EVENT …" knows: started/)
})

test('who forgets the quotes, and who names one of many, is not told all names', async () => {
  const names = ['full test', ...Array.from({ length: 20 }, (_, i) => `nightly-${i}`)]
  const factory = buildFactory([sh({ command: 'make' })])
  const builders = names.map((name) => builder({ name, slaves: ['bot-1'], factory }))
  await using talk = await createChatRig(chatConfig({ builders, schedulers: [] }), { mostLines: 3 })
  const { ask } = talk
  assert.equal(await ask('why full test'), 'There is no builder "full". Did you mean "full test"?')
  assert.equal(await ask('why windows'), 'There is no builder "windows". "list builders" lists all 21.')
  const [, , , cut] = (await ask('list builders')).split('\n')
  assert.equal(cut, '… and 18 lines more. In private I say more.')
})

test('poke is heard in all places, and is for the user of the master only', async () => {
  await using one = await createChatRig()
  const other = openPlace(one.rig, { id: 'test/#other' })
  assert.equal(await one.ask('poke'), 'Ow! jane pokes me: I am here.\nSaid in 2 places.')
  assert.deepEqual(other.said, ['Ow! jane pokes me: I am here.'])
  const answers: string[] = []
  const speaker = { name: 'joe', who: 'joe', proofs: ['account:joe'] }
  await one.chat.hear({ speaker, text: 'poke', reply: (line) => void answers.push(line) })
  assert.deepEqual(answers, ['"poke" makes no sense here: it is for the terminal of the master.'])
  assert.equal(other.said.length, 1)
})

test('ack says to all who is on a red builder, and keeps quiet until it is green', async () => {
  await using talk = await createChatRig(chatConfig(), { notify: ['failure', 'success'] })
  const { rig, ask, news } = talk
  await rig.slave('bot-1', [{ match: 'make', times: 2, result: 1 }])
  assert.equal(await ask('ack full'), 'full is not broken.')
  await rig.master.submitChange(commit('r1'), 'test')
  assert.equal((await news()).length, 1)
  assert.equal(await ask('ack full --drop', 'joe'), '"--drop" is not an option here. To end an ack say "unack full".')
  const quiet = openPlace(rig, { id: 'test/ann', personal: true })
  const curious = openPlace(rig, { id: 'test/eve', personal: true, notify: ['failure'] })
  assert.match(await ask('ack full new compiler', 'joe'), /^joe is on full: new compiler\nThank you\./m)
  assert.deepEqual([quiet.said, curious.said], [[], ['joe is on full: new compiler']])
  assert.equal(await ask('status full'), 'full: idle, last build #0 failure (joe is on it: new compiler)')
  await rig.master.submitChange(commit('r2'), 'test')
  assert.deepEqual(await news(), [])
  await rig.master.submitChange(commit('r3'), 'test')
  assert.equal((await news()).length, 1, 'green is told')
  await rig.settle()
  assert.equal(await ask('status full'), 'full: idle, last build #2 success')
})

test('an ack is taken back by unack, passes the policy, and is on record', async () => {
  await using talk = await createChatRig(chatConfig({ access: { ack: ['account:jane'] } }), { notify: ['failure'] })
  const { rig, ask, news } = talk
  await rig.slave('bot-1', [{ match: 'make', result: 1 }])
  const build = async (revision: string) => {
    await rig.master.submitChange(commit(revision), 'test')
    return (await news()).length
  }
  assert.equal(await build('r1'), 1)
  assert.equal(await ask('unack full'), 'Nobody looks after full.')
  const answers: string[] = []
  const speaker = { name: 'mal', who: 'mal', proofs: ['account:mal'] }
  await talk.chat.hear({ speaker, text: 'ack full haha', reply: (line) => void answers.push(line) })
  assert.match(answers.join(), /^Sorry, "mal" may not do this \(ack\)/)
  assert.equal(await build('r2'), 1)
  await ask('ack full the parser')
  assert.equal(await build('r3'), 0)
  assert.equal(await ask('unack full', 'joe'), 'joe says that nobody is on full any more\nI speak of full again.')
  assert.equal(await build('r4'), 1)
  assert.doesNotMatch(await ask('status full'), /is on it/)
  const audits = (await rig.master.query.audits()).filter(({ action }) => action === 'ack').toReversed()
  assert.deepEqual(
    audits.map(({ who, builder, reason, refusal }) => [who, builder, reason, refusal === null]),
    [
      ['mal', 'full', 'haha', false],
      ['jane', 'full', 'the parser', true],
      ['joe', 'full', 'jane is on it no more', true],
    ],
  )
})

test('an ack is of the branches that were red; another one that breaks is told, and blamed apart', async () => {
  await using talk = await createChatRig(chatConfig(), { notify: ['failure'] })
  const { rig, ask, news } = talk
  const slave = await rig.slave('bot-1', [{ match: 'make', hang: true, times: 9 }])
  const build = async (branch: string, result: number, who = 'ann') => {
    await rig.master.submitChange(commit(`${branch}${rig.clock.now()}`, { branch, who }), 'test')
    await rig.settle()
    slave.finish('make', { exitCode: result })
    const told = await news()
    await rig.clock.advance(60_000)
    return told
  }
  assert.equal((await build('main', 1)).length, 1)
  await ask('ack full', 'joe')
  assert.deepEqual(await build('main', 1), [])
  assert.equal((await build('release', 1, 'bob')).length, 1, 'not what joe looks after')
  assert.deepEqual(await build('main', 1), [], 'joe still does')
  assert.equal(
    await ask('blame full'),
    [
      'full is red on main since full #0, 4m ago; in that build: ann',
      'full is red on release since full #2, 2m ago; in that build: bob',
    ].join('\n'),
  )
  await build('release', 0)
  assert.match(await ask('status full'), /joe is on it/)
  await build('main', 0)
  assert.equal((await build('main', 1)).length, 1, 'joe looked after the streak before')
  assert.doesNotMatch(await ask('status full'), /joe is on it/)
})

test('what strangers typed cannot paint or break lines', async () => {
  await using talk = await createChatRig(chatConfig(), { notify: ['failure'] })
  await talk.rig.slave('bot-1', [{ match: 'make', result: 1 }])
  await talk.rig.master.submitChange(commit('r1', { who: 'evil\r\nQUIT :bye\u0003' + '04' }), 'test')
  const isControl = (char: string) => char.charCodeAt(0) < 32
  const lines = [...(await talk.news()), ...(await talk.ask('list changes')).split('\n')]
  assert.equal(lines.length, 2)
  for (const line of lines) assert.ok(![...line].some(isControl), JSON.stringify(line))
})

test('a plugin adds a command; what it throws is said, and costs nobody else anything', async () => {
  const lamp = definePlugin({
    name: 'lamp',
    kind: 'service',
    needs: ['chat'],
    apply(host) {
      host.registerChatCommand({
        name: 'lamp',
        usage: 'on|off',
        summary: 'switches the lamp',
        example: 'lamp on',
        run({ words, speaker }) {
          if (words[0] === 'bad') throw new CiError({ code: 'LAMP_BAD', message: 'The lamp is bad.' })
          if (words[0] === 'worse') throw new TypeError('x is not a function')
          return `${speaker.name} switches the lamp ${words[0]}`
        },
      })
    },
  })
  await using talk = await createChatRig(chatConfig({ plugins: [lamp()] }))
  assert.equal(await talk.ask('lamp "on now"'), 'jane switches the lamp on now')
  assert.equal(await talk.ask('help lamp'), 'lamp on|off: switches the lamp.\nExample: lamp on')
  assert.equal(await talk.ask('lamp bad'), 'The lamp is bad.')
  assert.match(await talk.ask('lamp worse'), /^That went wrong; my log says more: x is not a function/)
  assert.match(await talk.ask('commands'), /lamp/)
  const taken = definePlugin({
    name: 'taken',
    kind: 'service',
    needs: ['chat'],
    apply: (host) =>
      host.registerChatCommand({ name: 'status', usage: '', summary: '', example: '', run: () => 'mine' }),
  })
  await assert.rejects(talk.rig.reconfigure(chatConfig({ plugins: [taken()] })), /"status" of "taken" is there already/)
  await talk.rig.reconfigure(chatConfig())
  assert.match(await talk.ask('lamp on'), /^"lamp" is not a command\./)
})
