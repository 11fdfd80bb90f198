import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { builder, buildFactory, defineStep, masterLock, type Result, secret, slave } from 'boltbot/plugin-sdk'
import type { ScriptedAnswer, ScriptedSlave } from 'boltbot/plugin-sdk/testing'
import { noteStop } from '../../core/store/adoption.ts'
import { sh } from '../rig/parts.ts'
import { createRig, type Rig, type RigOptions } from '../rig/rig.ts'

// A build outlives its master: the agent goes on with the command, and the next process takes it up.

const bots = ['bot-1', 'bot-2'].map((name) => slave({ name, password: 'x' }))
const force = { builder: 'full', who: 'jane', reason: 'try it' }

/** Runs commands one after the other; what it saw of them becomes a property. */
const watching = defineStep({
  name: 'watching',
  async run(context, options: { readonly commands: readonly string[]; readonly log?: string }) {
    const seen: string[] = []
    let result: Result = 'success'
    for (const command of options.commands) {
      await context.write(options.log ?? 'stdio', 'header', `[${command}]`)
      const ended = await context.run(
        { kind: 'shell', command },
        { observe: (_stream, data) => void seen.push(new TextDecoder().decode(data)) },
      )
      if (ended.exitCode !== 0) result = 'failure'
    }
    context.setProperty('seen', seen.join(''))
    return { result }
  },
})

const config = (steps: Parameters<typeof buildFactory>[0], over: Partial<RigOptions> = {}): RigOptions => ({
  slaves: bots,
  builders: [builder({ name: 'full', slaves: ['bot-1', 'bot-2'], factory: buildFactory(steps) })],
  schedulers: [],
  ...over,
})

async function begun(options: RigOptions, answers: readonly ScriptedAnswer[]): Promise<[Rig, ScriptedSlave]> {
  const rig = await createRig(options)
  const bot = await rig.slave('bot-1', answers)
  await rig.master.force(force, 'test')
  await rig.settle()
  return [rig, bot]
}

async function back(rig: Rig, bot: ScriptedSlave): Promise<void> {
  await bot.attach(rig.door)
  await rig.settle()
}

const logOf = async (rig: Rig, step = 0, log = 'stdio') => {
  const { id } = await rig.build('full', 0)
  return rig.master.query.logTail({ build: id, step, log })
}

describe('a build whose master was killed', () => {
  it('goes on with the command that its slave kept, and then with the next step', async () => {
    const steps = [sh({ command: 'configure' }), sh({ command: 'make' }), sh({ command: 'install' })]
    const [rig, bot] = await begun(config(steps), [{ match: 'make', output: ['one\n'], hang: true }])
    await using next = await rig.restart()
    await back(next, bot)
    assert.deepEqual(await next.story('buildFinished'), [])
    bot.finish('make')
    assert.deepEqual(await next.story('stepStarted', 'stepFinished', 'buildFinished', 'requestQueued'), [
      'stepFinished full #0 sh_2 success',
      'stepStarted full #0 sh_3',
      'stepFinished full #0 sh_3 success',
      'buildFinished full #0 on bot-1 success',
    ])
    assert.deepEqual(bot.commands(), ['configure', 'make', 'install'])
    assert.equal(await logOf(next, 1), 'one\n')
    assert.deepEqual(bot.held, [])
    assert.equal((await next.build('full', 0)).epoch, 1)
  })

  it('has every byte of its log once, wherever the kill came', async () => {
    const lines = Array.from({ length: 12 }, (_, n) => ({ data: `${n}\n`, stream: n % 3 === 2 ? 'stderr' : 'stdout' }))
    const whole = lines.map(({ data }) => data).join('')
    for (let cut = 0; cut < lines.length; cut++) {
      const gate = Promise.withResolvers<void>()
      const answer: ScriptedAnswer = {
        async run({ print }) {
          for (const [n, { data, stream }] of lines.entries()) {
            if (n === cut) await gate.promise
            await print(data, { stream: stream as 'stdout' | 'stderr' })
          }
        },
      }
      const [rig, bot] = await begun(config([watching({ commands: ['a'] })]), [answer])
      await using next = await rig.restart()
      gate.resolve()
      await next.settle()
      await back(next, bot)
      assert.equal((await next.build('full', 0)).result, 'success', `cut at ${cut}`)
      assert.equal(await logOf(next), `[a]${whole}`, `cut at ${cut}`)
      assert.equal((await next.build('full', 0)).properties.seen?.value, whole, `the step saw it all; cut at ${cut}`)
      const resumed = bot.asked.find(({ what }) => what === 'resume')
      assert.ok(resumed?.what === 'resume')
      const stored = lines
        .slice(0, cut)
        .map(({ data }) => data)
        .join('').length
      assert.equal(resumed.offsets.stdio ?? 0, stored, 'only what was missing came again')
    }
  })

  it('answers commands of the step that had ended from what was stored', async () => {
    const steps = [watching({ commands: ['first', 'second', 'third'] })]
    const [rig, bot] = await begun(config(steps), [
      { match: 'first', output: ['1 out\n'] },
      { match: 'second', output: ['2 out\n'], hang: true },
      { match: 'third', output: ['3 out\n'] },
    ])
    await using next = await rig.restart()
    await back(next, bot)
    bot.finish('second')
    await next.settle()
    assert.deepEqual(bot.commands(), ['first', 'second', 'third'])
    assert.equal(await logOf(next), '[first]1 out\n[second]2 out\n[third]3 out\n')
    assert.equal((await next.build('full', 0)).properties.seen?.value, '1 out\n2 out\n3 out\n')
  })

  it('keeps the properties and results of its steps', async () => {
    const steps = [
      watching({ commands: ['version'] }),
      sh({ command: 'test', flunkOnFailure: false, warnOnFailure: true }),
      sh({ command: 'make' }),
    ]
    const answers = [
      { match: 'version', output: '42' },
      { match: 'test', result: 1 },
      { match: 'make', hang: true },
    ]
    const [rig, bot] = await begun(config(steps), answers)
    await using next = await rig.restart()
    await back(next, bot)
    bot.finish('make')
    await next.settle()
    const build = await next.build('full', 0)
    assert.equal(build.result, 'warnings')
    assert.equal(build.properties.seen?.value, '42')
  })

  it('goes on between two steps, and where nothing had begun', async () => {
    const gate = defineStep({
      name: 'gate',
      run: async ({ signal }) => {
        await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
        return { result: 'success' }
      },
    })
    let shut = true
    const steps = [sh({ command: 'one' }), gate({ doStepIf: () => shut }), sh({ command: 'two' })]
    const [rig, bot] = await begun(config(steps), [])
    shut = false
    await using next = await rig.restart()
    await back(next, bot)
    assert.deepEqual(bot.commands(), ['one', 'two'])
    assert.deepEqual(await next.story('buildFinished'), ['buildFinished full #0 on bot-1 success'])
  })

  it('finishes under the config it began with, also when its builder is gone', async () => {
    const before = config([sh({ command: 'make' }), sh({ command: 'old' })])
    const [rig, bot] = await begun(before, [{ match: 'make', hang: true }])
    const other = builder({ name: 'other', slaves: ['bot-1'], factory: buildFactory([sh({ command: 'new' })]) })
    await using next = await rig.restart(config([], { builders: [other] }))
    await back(next, bot)
    bot.finish('make')
    await next.settle()
    assert.deepEqual(bot.commands(), ['make', 'old'])
    assert.deepEqual(await next.story('buildFinished'), ['buildFinished full #0 on bot-1 success'])
    const told = bot.asked.findLast(({ what }) => what === 'setBuilders')
    assert.ok(told?.what === 'setBuilders' && told.builders.some(({ name }) => name === 'full'))
  })

  it('holds its locks and its slave from the first moment', async () => {
    const database = masterLock('database')
    const tape = masterLock('tape')
    const locks = [database.access('exclusive')]
    const builders = [
      builder({
        name: 'full',
        slaves: ['bot-1'],
        locks,
        factory: buildFactory([sh({ command: 'make', locks: [tape.access('exclusive')] }), sh({ command: 'after' })]),
      }),
      builder({ name: 'other', slaves: ['bot-2'], locks, factory: buildFactory([sh({ command: 'other' })]) }),
      builder({
        name: 'taper',
        slaves: ['bot-2'],
        factory: buildFactory([sh({ command: 'taper', locks: [tape.access('exclusive')] })]),
      }),
    ]
    const [rig, bot] = await begun(config([], { builders }), [{ match: 'make', hang: true }])
    await using next = await rig.restart()
    const second = await next.slave('bot-2')
    await next.master.force({ ...force, builder: 'other' }, 'test')
    await next.master.force({ ...force, builder: 'taper' }, 'test')
    await next.settle()
    assert.deepEqual(second.commands(), [])
    assert.match((await next.master.why()).map(({ why }) => why?.text).join(), /lock database held by full #0/)
    await back(next, bot)
    bot.finish('make')
    await next.settle()
    assert.deepEqual(second.commands().toSorted(), ['other', 'taper'])
    assert.deepEqual(await next.store.db.selectFrom('lock_holds').selectAll().execute(), [])
  })

  it('is tried again under a new epoch when its slave does not come back; that one is told to discard', async () => {
    const options = config([sh({ command: 'make' })], { buildLease: '60s' })
    const [rig, bot] = await begun(options, [{ match: 'make', output: 'old\n', hang: true }])
    await using next = await rig.restart()
    const other = await next.slave('bot-2', [{ match: 'make', output: 'new\n' }])
    await next.clock.advance('59s')
    assert.deepEqual(await next.story('buildFinished'), [])
    await next.clock.advance('2s')
    assert.deepEqual(await next.story('buildFinished'), [
      'buildFinished full #0 on bot-1 retry',
      'buildFinished full #1 on bot-2 success',
    ])
    assert.equal((await next.build('full', 1)).epoch, 2)
    await back(next, bot)
    assert.deepEqual(bot.held, [])
    assert.deepEqual(other.commands(), ['make'])
    assert.equal(await logOf(next), 'old\n')
  })

  it('is tried again at once when its slave came back without the command', async () => {
    const [rig, bot] = await begun(config([sh({ command: 'make' })]), [{ match: 'make', output: 'x', hang: true }])
    bot.crash()
    await using next = await rig.restart()
    await back(next, bot)
    assert.deepEqual(await next.story('buildFinished'), ['buildFinished full #0 on bot-1 retry'])
  })

  it('stays stopped when somebody stopped it just before', async () => {
    const steps = [sh({ command: 'make' }), sh({ command: 'more' }), sh({ command: 'clean up', alwaysRun: true })]
    const [rig, bot] = await begun(config(steps), [{ match: 'make', hang: true, deaf: true }])
    const { id } = await rig.build('full', 0)
    await rig.master.stopBuild({ build: id, who: 'jane', reason: 'wrong branch' }, 'test')
    await rig.settle()
    await using next = await rig.restart()
    await back(next, bot)
    assert.deepEqual(await next.story('buildFinished'), ['buildFinished full #0 on bot-1 cancelled'])
    assert.deepEqual(bot.commands(), ['make', 'clean up'])
    assert.match((await next.build('full', 0)).text.join(), /wrong branch/)
  })

  it('goes on over several kills', async () => {
    const steps = [watching({ commands: ['a'] }), watching({ commands: ['b'] })]
    let rig: Rig
    const [first, bot] = await begun(config(steps), [
      { match: 'a', output: ['a1', 'a2'], hang: true },
      { match: 'b', output: ['b1', 'b2'], hang: true },
    ])
    rig = await first.restart()
    await back(rig, bot)
    rig = await rig.restart()
    await back(rig, bot)
    bot.finish('a')
    await rig.settle()
    rig = await rig.restart()
    await back(rig, bot)
    bot.finish('b')
    await rig.settle()
    await using last = rig
    assert.deepEqual(await last.story('buildFinished'), ['buildFinished full #0 on bot-1 success'])
    assert.deepEqual([await logOf(last, 0), await logOf(last, 1)], ['[a]a1a2', '[b]b1b2'])
    assert.deepEqual(bot.commands(), ['a', 'b'])
  })

  it('refuses what a process before still writes about it', async () => {
    const [rig, bot] = await begun(config([sh({ command: 'make' })]), [{ match: 'make', hang: true }])
    const { id, epoch } = await rig.build('full', 0)
    const [before] = await rig.store.db.selectFrom('builds').select('owner').execute()
    await using next = await rig.restart()
    await assert.rejects(noteStop(next.store, { build: id, epoch, owner: before!.owner }, 'ghost', 'I still live'), {
      code: 'BOLT_BUILDS_STALE',
    })
    await back(next, bot)
    bot.finish()
    assert.deepEqual(await next.story('buildFinished'), ['buildFinished full #0 on bot-1 success'])
  })

  it('does not add steps twice that its step under way had added', async () => {
    const adder = defineStep({
      name: 'adder',
      adds: [sh],
      async run(context) {
        await context.addSteps([sh({ command: 'added' })])
        await context.run({ kind: 'shell', command: 'adding' })
        return { result: 'success' }
      },
    })
    const [rig, bot] = await begun(config([adder(), sh({ command: 'last' })]), [{ match: 'adding', hang: true }])
    await using next = await rig.restart()
    await back(next, bot)
    bot.finish()
    await next.settle()
    assert.deepEqual(bot.commands(), ['adding', 'added', 'last'])
  })

  it('hides a secret that was printed over the kill', async () => {
    const gate = Promise.withResolvers<void>()
    const login = defineStep({
      name: 'login',
      async run(context, options: { readonly word: ReturnType<typeof secret> }) {
        const word = context.render<string>(options.word)
        const { exitCode } = await context.run({ kind: 'shell', command: 'login', env: { WORD: word } })
        return { result: exitCode === 0 ? 'success' : 'failure' }
      },
    })
    const [rig, bot] = await begun(config([login({ word: secret('key') })]), [
      {
        async run({ print }) {
          await print('it is secr')
          await print('oops', { stream: 'stderr' })
          await gate.promise
          await print('et key, they say')
        },
      },
    ])
    await using next = await rig.restart()
    gate.resolve()
    await back(next, bot)
    const log = await logOf(next)
    assert.equal(log.length, 'it is secret key, they say'.length + 'oops'.length)
    assert.ok(!log.includes('secret key') && log.includes('oops'), log)
  })
})

describe('a master that is stopped', () => {
  it('leaves builds running whose slaves keep their commands, and stores nothing of their end', async () => {
    const [rig, bot] = await begun(config([sh({ command: 'make' })]), [{ match: 'make', output: 'x', hang: true }])
    const kept = { ...rig.store, close: async () => {} }
    Object.assign(rig.store, { close: kept.close })
    Object.assign(rig.logStore, { close: async () => {} })
    await rig.master.stop()
    assert.deepEqual(rig.clock.pending(), [])
    assert.equal(bot.held.length, 1)
    assert.deepEqual(
      bot.asked.filter(({ what }) => what === 'interrupt' || what === 'forget'),
      [],
    )
    await using next = await rig.restart()
    await back(next, bot)
    bot.finish()
    assert.deepEqual(await next.story('buildFinished', 'requestQueued'), ['buildFinished full #0 on bot-1 success'])
  })

  it('waits for its builds when it is told to', async () => {
    const [rig, bot] = await begun(config([sh({ command: 'make' }), sh({ command: 'more' })]), [
      { match: 'make', hang: true },
    ])
    const stopped = rig.master.stop({ builds: 'wait' })
    await rig.settle()
    bot.finish()
    await stopped
    assert.deepEqual(bot.commands(), ['make', 'more'])
    assert.ok(rig.events.some(({ name }) => name === 'buildFinished'))
  })

  it('cancels its builds when it is told to', async () => {
    const [rig, bot] = await begun(config([sh({ command: 'make' })]), [{ match: 'make', hang: true }])
    await rig.master.stop({ builds: 'cancel' })
    const ended = rig.events.find(({ name }) => name === 'buildFinished')
    assert.ok(ended?.name === 'buildFinished' && ended.event.result === 'cancelled')
    assert.deepEqual(bot.held, [])
  })
})
