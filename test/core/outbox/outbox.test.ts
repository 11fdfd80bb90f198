import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  builder,
  buildFactory,
  type Delivery,
  definePlugin,
  type Handover,
  type Host,
  type Notice,
  slave,
} from 'boltbot/plugin-sdk'
import { sh } from '../../rig/parts.ts'
import { createRig, type Rig, type RigOptions } from '../../rig/rig.ts'

const TAKEN: Handover = { status: 'delivered' }

/** The far side of a carrier: what it took, and how it answers. It outlives masters. */
function createFarSide(scheme = 'mail') {
  const taken: Delivery[] = []
  const tried: Delivery[] = []
  let answer: (delivery: Delivery, signal: AbortSignal) => Handover | Promise<Handover> = () => TAKEN
  let host: Host | undefined
  const plugin = definePlugin({
    name: `far/${scheme}`,
    kind: 'status',
    needs: ['carriers', 'notify'],
    apply(given, _: object) {
      host = given
      given.registerCarrier({
        scheme,
        addressOf: async (who) => (who === 'nobody' ? null : `${who}@example.org`),
        async deliver(delivery, { signal }) {
          tried.push(delivery)
          const handover = await answer(delivery, signal)
          if (handover.status === 'delivered') taken.push(delivery)
          return handover
        },
      })
    },
  })
  return {
    plugin,
    taken,
    tried,
    subjects: () => taken.map(({ subject }) => subject),
    answers(next: typeof answer) {
      answer = next
    },
    get host() {
      return host!
    },
  }
}

const bot = slave({ name: 'bot', password: 'x' })
const full = builder({ name: 'full', slaves: ['bot'], factory: buildFactory([sh({ command: 'make' })]) })
const config = (status: RigOptions['status'], over: Partial<RigOptions> = {}): RigOptions => ({
  slaves: [bot],
  builders: [full],
  ...(status && { status }),
  ...over,
})
const jane = { scheme: 'mail', address: 'jane@example.org' }
const notice = (key: string, over: Partial<Notice> = {}): Notice => ({
  key,
  to: [jane],
  subject: key,
  text: `about ${key}`,
  ...over,
})
const states = async (rig: Rig) =>
  (await rig.master.outbox.list({ limit: 100 })).map(({ subject, state }) => `${subject} ${state}`)

test('a message is brought to each of its recipients once, whoever asks again', async () => {
  const far = createFarSide()
  await using rig = await createRig(config([far.plugin()]))
  const two = notice('fire', { to: [jane, { who: 'joe' }, jane] })
  assert.deepEqual(await far.host.notify(two), { queued: 2 })
  assert.deepEqual(await far.host.notify(two), { queued: 0 })
  assert.deepEqual(await far.host.notify(notice('fire', { to: [jane, { who: 'ann' }] })), { queued: 1 })
  await rig.settle()
  assert.deepEqual(
    far.taken.map(({ address }) => address),
    ['jane@example.org', 'joe@example.org', 'ann@example.org'],
  )
  assert.equal(new Set(far.taken.map(({ ref }) => ref)).size, 1, 'one ref for all recipients of a notice')
})

test('of one group a message is told once, whichever plugin was first; a key of its own is another message', async () => {
  const [mail, irc] = [createFarSide(), createFarSide('irc')]
  await using rig = await createRig(config([mail.plugin(), irc.plugin()]))
  const shared = notice('fire', { group: 'subscribers' })
  assert.deepEqual(await mail.host.notify(shared), { queued: 1 })
  assert.deepEqual(await irc.host.notify(shared), { queued: 0 })
  assert.deepEqual(await irc.host.notify(notice('fire', { subject: 'my own' })), { queued: 1 })
  await rig.settle()
  assert.deepEqual(mail.subjects(), ['fire', 'my own'])
  await assert.rejects(mail.host.notify(notice('fire', { group: '' })), /its group is no text/)
})

test('who is named in several ways, as a person and by address, is told once', async () => {
  const far = createFarSide()
  await using rig = await createRig(config([far.plugin()]))
  far.answers(() => ({ status: 'later', about: 'carrier', reason: 'down' }))
  await far.host.notify(notice('fire', { to: [{ who: 'Jane' }, jane, { who: 'jane' }, { who: 'joe' }] }))
  await far.host.notify(notice('flood', { to: [{ who: 'jane' }] }))
  await rig.settle()
  far.answers(() => TAKEN)
  await rig.clock.advance('2m')
  assert.deepEqual(
    far.taken.map(({ subject, address }) => `${subject} ${address}`),
    ['fire jane@example.org', 'fire joe@example.org', 'flood jane@example.org'],
  )
})

test('a malformed message is refused with what is wrong', async () => {
  const far = createFarSide()
  await using _rig = await createRig(config([far.plugin()]))
  const wrong = [
    [{ key: '' }, /its key is no text/],
    [{ to: [{ scheme: 'mail' }] }, /is no recipient/],
    [{ to: [{ who: 'jane', via: [] }] }, /is no recipient/],
    [{ subject: undefined }, /its subject or its text is no text/],
    [{ urgency: 'now' }, /its urgency is "now"/],
  ] as const
  for (const [over, message] of wrong)
    await assert.rejects(far.host.notify(notice('x', over as unknown as Partial<Notice>)), {
      code: 'BOLT_OUTBOX_NOTICE',
      message,
    })
})

test('a dead carrier is tried until it lives; nothing is lost, and the order stays', async () => {
  const far = createFarSide()
  await using rig = await createRig(config([far.plugin()]))
  far.answers(() => ({ status: 'later', about: 'carrier', reason: 'nobody listens' }))
  for (const key of ['a', 'b', 'c']) await far.host.notify(notice(key))
  await rig.clock.advance('3h')
  assert.deepEqual(far.taken, [])
  assert.ok(far.tried.length < 250, `backs off to a minute, and tried ${far.tried.length} times in 3 h`)
  assert.ok(far.tried.every(({ subject }) => subject === 'a'))
  far.answers(() => TAKEN)
  await rig.clock.advance('2m')
  assert.deepEqual(far.subjects(), ['a', 'b', 'c'])
})

test('a carrier that throws is a carrier that reaches nobody', async () => {
  const far = createFarSide()
  await using rig = await createRig(config([far.plugin()]))
  far.answers(() => {
    throw new Error('socket gone')
  })
  await far.host.notify(notice('a'))
  await rig.settle()
  const [message] = await rig.master.outbox.list({ limit: 1 })
  assert.equal(message?.state, 'waiting')
  assert.equal(message.error, 'socket gone')
  assert.equal(message.inDoubt, 1, 'nobody knows how far it came')
})

test('a message that the far side dies of waits alone in the end, and others go on', async () => {
  const far = createFarSide()
  await using rig = await createRig(config([far.plugin()]))
  far.answers(({ subject }) =>
    subject === 'poison' ? { status: 'later', about: 'carrier', reason: 'it died', inDoubt: true } : TAKEN,
  )
  await far.host.notify(notice('poison', { thread: 't' }))
  await far.host.notify(notice('second', { thread: 't' }))
  await far.host.notify(notice('other'))
  await rig.clock.advance('20s')
  assert.deepEqual(far.subjects(), ['other'])
  assert.equal(far.tried.filter(({ subject }) => subject === 'poison').length, 3)
  const [poison] = await rig.master.outbox.list({ limit: 1 })
  assert.deepEqual([poison?.state, poison?.inDoubt], ['waiting', 3])
  await far.host.notify(notice('third'))
  await rig.clock.advance('5m')
  assert.deepEqual(far.subjects(), ['other', 'third'], 'its thread keeps its order')
  far.answers(() => TAKEN)
  await rig.clock.advance('1h')
  assert.deepEqual(far.subjects(), ['other', 'third', 'poison', 'second'])
})

test('a recipient who is put off waits alone; messages of a thread keep their order', async () => {
  const far = createFarSide()
  await using rig = await createRig(config([far.plugin()]))
  let greylisted = true
  far.answers(({ subject }) =>
    greylisted && subject === 'first' ? { status: 'later', about: 'recipient', reason: '451 try again' } : TAKEN,
  )
  await far.host.notify(notice('first', { thread: 't' }))
  await far.host.notify(notice('second', { thread: 't' }))
  await far.host.notify(notice('other', { thread: 'u' }))
  await far.host.notify(notice('for joe', { thread: 't', to: [{ who: 'joe' }] }))
  await rig.clock.advance('2s')
  assert.deepEqual(far.subjects(), ['other', 'for joe'])
  greylisted = false
  await rig.clock.advance('2m')
  assert.deepEqual(far.subjects(), ['other', 'for joe', 'first', 'second'])
})

test('who is put off for longer than giveUpAfter becomes a dead letter', async () => {
  const far = createFarSide()
  await using rig = await createRig(config([far.plugin()], { outbox: { giveUpAfter: '1d' } }))
  far.answers(() => ({ status: 'later', about: 'recipient', reason: '451 not now' }))
  await far.host.notify(notice('a'))
  await rig.clock.advance('23h')
  assert.deepEqual(await states(rig), ['a waiting'])
  await rig.clock.advance('2h')
  const [message] = await rig.master.outbox.list({ limit: 1 })
  assert.equal(message?.state, 'dead')
  assert.equal(message.error, 'put off for too long: 451 not now')
})

test('a refused message is a dead letter: the admins are told, it can be tried again or dropped', async () => {
  const far = createFarSide()
  await using rig = await createRig(config([far.plugin()], { outbox: { admins: ['root@example.org'] } }))
  far.answers(({ address }) =>
    address === 'root@example.org' ? TAKEN : { status: 'refused', reason: '550 no such user' },
  )
  await far.host.notify(notice('a'))
  await rig.settle()
  assert.deepEqual(await states(rig), ['a dead', 'Message to jane@example.org could not be delivered sent'])
  assert.match(far.taken[0]?.text ?? '', /reason: {3}550 no such user\n[\s\S]*boltbot outbox retry 1\n/)

  await rig.master.outbox.retry(1)
  await rig.settle()
  assert.equal(far.taken.length, 2, 'the admins hear of the second refusal too')
  await rig.master.outbox.drop(1, { who: 'ann', reason: 'he left' })
  const [dropped] = await rig.master.outbox.list({ limit: 1 })
  assert.deepEqual([dropped?.state, dropped?.error], ['dropped', 'dropped by ann: he left'])
  far.answers(() => TAKEN)
  await rig.master.outbox.retry(1)
  await rig.settle()
  assert.deepEqual((await states(rig))[0], 'a sent')
  await assert.rejects(rig.master.outbox.retry(1), { code: 'BOLT_OUTBOX_UNKNOWN' })
  await assert.rejects(rig.master.outbox.drop(99, { who: 'ann', reason: '' }), { code: 'BOLT_OUTBOX_UNKNOWN' })
})

test('an admin whose own notice is refused is not told of that', async () => {
  const far = createFarSide()
  await using rig = await createRig(config([far.plugin()], { outbox: { admins: ['root@example.org'] } }))
  far.answers(() => ({ status: 'refused', reason: '550 no' }))
  await far.host.notify(notice('a'))
  await rig.clock.advance('1d')
  assert.equal(far.tried.length, 2)
})

test('what was in hand at a kill is sent again, with the same ref, and listed as in doubt', async () => {
  const far = createFarSide()
  const first = await createRig(config([far.plugin()]))
  far.answers((delivery) => {
    far.taken.push(delivery) // taken, and the answer is lost
    return new Promise<never>(() => {})
  })
  await far.host.notify(notice('a'))
  await far.host.notify(notice('b'))
  await first.settle()
  far.answers(() => TAKEN)
  await using rig = await first.restart()
  await rig.settle()
  assert.deepEqual(far.subjects(), ['a', 'a', 'b'])
  assert.equal(far.taken[0]?.ref, far.taken[1]?.ref)
  assert.notEqual(far.taken[1]?.ref, far.taken[2]?.ref)
  assert.deepEqual(
    (await rig.master.outbox.list({ inDoubt: true, limit: 10 })).map(({ subject, state }) => [subject, state]),
    [['a', 'sent']],
  )
})

test('who was told enough gets the rest in one digest, in order, with nothing left out', async () => {
  const far = createFarSide()
  const outbox = { budget: { count: 2, per: '1h' } } as const
  await using rig = await createRig(config([far.plugin()], { outbox }))
  for (const key of ['a', 'b', 'c', 'd', 'e']) await far.host.notify(notice(key))
  await far.host.notify(notice('urgent', { urgency: 'high' }))
  await far.host.notify(notice('for joe', { to: [{ who: 'joe' }] }))
  await rig.settle()
  assert.deepEqual(far.subjects(), ['a', 'b', 'urgent', 'for joe'])
  await rig.clock.advance('30m')
  await far.host.notify(notice('f'))
  assert.equal(far.taken.length, 4)
  await rig.clock.advance('31m')
  assert.equal(far.taken.length, 5)
  const digest = far.taken[4]
  assert.equal(digest?.subject, '4 messages: c …')
  assert.match(
    digest?.text ?? '',
    /1\. .* c\n2\. .* d\n3\. .* e\n4\. .* f\n[\s\S]*about c\n[\s\S]*about d\n[\s\S]*about e\n[\s\S]*about f\n/,
  )
  assert.deepEqual(
    (await rig.master.outbox.list({ states: ['digested'], limit: 10 })).map(({ subject }) => subject),
    ['c', 'd', 'e', 'f'],
  )
  await rig.clock.advance('2h')
  await far.host.notify(notice('g'))
  await rig.settle()
  assert.equal(far.subjects().at(-1), 'g')
})

test('who is absent in one way is told in the next one; a way that is not configured is passed over', async () => {
  const irc = createFarSide('irc')
  const mail = createFarSide('mail')
  irc.answers(({ address }) =>
    address.startsWith('joe') ? { status: 'absent', reason: 'not seen for 3 days' } : TAKEN,
  )
  await using rig = await createRig(config([irc.plugin(), mail.plugin()]))
  const via = ['pager', 'irc', 'mail']
  await mail.host.notify(notice('to jane', { to: [{ who: 'jane', via }] }))
  await mail.host.notify(notice('to joe', { to: [{ who: 'joe', via }] }))
  await mail.host.notify(notice('to nobody', { to: [{ who: 'nobody', via }] }))
  await rig.settle()
  assert.deepEqual(irc.subjects(), ['to jane'])
  assert.deepEqual(mail.subjects(), ['to joe'])
  assert.deepEqual(await states(rig), ['to jane sent', 'to joe sent', 'to nobody dead'])
})

test('messages wait for a carrier that is not there yet, and take another way when it will not come', async () => {
  const teller = definePlugin({
    name: 'teller',
    kind: 'status',
    needs: ['notify'],
    apply() {},
    async start(host, _: object) {
      await host.notify(notice('early', { to: [{ who: 'jane', via: ['pager', 'mail'] }] }))
      await host.notify(notice('paged', { to: [{ scheme: 'pager', address: '1' }] }))
    },
  })
  const mail = createFarSide('mail')
  const pager = createFarSide('pager')
  await using rig = await createRig(config([teller(), mail.plugin()]))
  await rig.settle()
  assert.deepEqual(mail.subjects(), ['early'])
  assert.deepEqual(await states(rig), ['early sent', 'paged waiting'])
  const warnings = () => rig.log.text().match(/no plugin of the config carries them.*"pager"/g)?.length
  assert.equal(warnings(), 1)
  await mail.host.notify(notice('paged again', { to: [{ scheme: 'pager', address: '2' }] }))
  assert.equal(warnings(), 1, 'said once')
  await rig.reconfigure(config([teller(), mail.plugin(), pager.plugin()]))
  await rig.settle()
  assert.deepEqual(pager.subjects(), ['paged', 'paged again'])
  assert.equal(warnings(), 1)
})

test("a plugin's messages go by its own carrier, others by the first", async () => {
  const one = createFarSide('mail')
  const two = createFarSide('mail')
  const teller = createFarSide('other')
  await using rig = await createRig(config([one.plugin({ id: 'one' }), two.plugin({ id: 'two' }), teller.plugin()]))
  await two.host.notify(notice('of two'))
  await one.host.notify(notice('of one'))
  await teller.host.notify(notice('of another'))
  await rig.settle()
  assert.deepEqual(one.subjects(), ['of one', 'of another'])
  assert.deepEqual(two.subjects(), ['of two'])
})

test('a stop waits a moment for the message in hand, and then has the carrier give up', async () => {
  const far = createFarSide()
  const rig = await createRig(config([far.plugin()]))
  const { promise, resolve } = Promise.withResolvers<Handover>()
  far.answers(() => promise)
  await far.host.notify(notice('a'))
  await rig.settle()
  const stopped = rig.master.stop()
  resolve(TAKEN)
  await stopped
  assert.deepEqual(far.subjects(), ['a'])
  await rig[Symbol.asyncDispose]()
})

test('secrets do not leave with a message', async () => {
  const far = createFarSide()
  await using rig = await createRig(config([far.plugin()]))
  rig.redactor.add('hunter2hunter2')
  await far.host.notify(notice('hunter2hunter2', { text: 'pw hunter2hunter2', html: '<b>hunter2hunter2</b>' }))
  await rig.settle()
  const [{ subject, text, html } = {}] = far.taken
  assert.deepEqual([subject, text, html], ['***', 'pw ***', '<b>***</b>'])
})

test('messages that were delivered are forgotten after a month, dead ones stay', async () => {
  const far = createFarSide()
  await using rig = await createRig(config([far.plugin()], { buildLease: '9d' }))
  far.answers(({ subject }) => (subject === 'bad' ? { status: 'refused', reason: 'no' } : TAKEN))
  await far.host.notify(notice('good'))
  await far.host.notify(notice('bad'))
  await rig.clock.advance('31d')
  assert.deepEqual(await states(rig), ['bad dead'])
})

test('a test mail says how its first try ended', async () => {
  const far = createFarSide()
  await using rig = await createRig(config([far.plugin()]))
  far.answers(({ address }) =>
    address === 'jane@example.org' ? TAKEN : { status: 'refused', reason: '550 no such user' },
  )
  const probe = async (address: string) => {
    const probed = rig.master.outbox.probe(address, 'ann')
    await rig.clock.advance('1s')
    const { state, error } = await probed
    return [state, error]
  }
  assert.deepEqual(await probe('jane@example.org'), ['sent', null])
  assert.deepEqual(await probe('joe@example.org'), ['dead', '550 no such user'])
  assert.deepEqual(far.subjects(), ['Test from Rig'])
})
