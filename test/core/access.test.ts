import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CiError, definePlugin, type GuardedAction } from 'boltbot/plugin-sdk'
import { checkAccess } from '../../core/access.ts'
import { createRig } from '../rig/rig.ts'
import { chatConfig, createChatRig } from './chat/rig.ts'
import { createTestPeople } from './people/test-people.ts'

const people = await createTestPeople({
  table: {
    jane: { irc: ['account:jane', 'host:jane@*.example.org'], roles: ['committer', 'admin'] },
    joe: { irc: 'account:joe@libera', roles: ['committer'] },
    nia: { irc: 'nick:nia', roles: ['committer'] },
  },
})
const isLetIn = async (
  rules: readonly string[],
  proofs: readonly string[] | undefined,
  over: Partial<GuardedAction> = {},
) => {
  try {
    const action = { action: 'force' as const, who: 'x', via: 'irc', ...(proofs && { proofs }), ...over }
    await checkAccess({ access: { force: rules } }, people, action)
    return true
  } catch (error) {
    assert.ok(error instanceof CiError && error.code === 'BOLT_ACCESS_REFUSED')
    return false
  }
}

test('rules fit what is known for sure of a person, and nothing else', async () => {
  const cases: readonly (readonly [rules: readonly string[], proofs: readonly string[] | undefined, lets: boolean])[] =
    [
      [[], undefined, true],
      [[], [], false],
      [['anyone'], [], true],
      [['account:jane'], ['account:jane'], true],
      [['account:jane'], ['account:Jane'], true],
      [['account:jane'], ['account:jane2'], false],
      [['account:jane'], ['account:jane@libera'], false],
      [['account:j*'], ['account:jane'], false],
      [['role:committer'], ['account:jane'], true],
      [['role:committer'], ['account:joe'], false],
      [['role:committer'], ['account:joe@libera'], true],
      [['role:admin'], ['account:joe@libera'], false],
      [['role:committer'], ['host:jane@box.example.org'], true],
      [['role:committer'], ['host:jane@example.org.evil.net'], false],
      [['role:committer'], ['role:committer'], false],
      [['host:*@*.example.org'], ['host:any@a.b.example.org'], true],
      [['host:*@*.example.org'], ['host:any@aXexample.org'], false],
      [['op:#hello'], ['op:#hello'], true],
      [['op:#hello'], ['voice:#hello'], false],
      [['person:jane'], ['account:jane'], true],
      [['person:jane'], ['account:joe@libera'], false],
      [['role:committer'], ['nick:nia', 'account:nia', 'host:nia@home'], false],
      [['role:admin'], ['person:jane'], true],
      [['via:irc'], [], true],
      [['via:web'], [], false],
    ]
  for (const [rules, proofs, lets] of cases)
    assert.equal(await isLetIn(rules, proofs), lets, `${rules.join()} for ${proofs?.join()}`)
  assert.equal(await isLetIn(['anyone'], [], { action: 'shutdown' }), false, 'another action')
})

test('who is refused is told politely; all acts are recorded, allowed or not', async () => {
  const config = chatConfig({
    people: { table: { jane: { irc: 'account:jane', roles: ['committer'] } } },
    access: { force: ['role:committer'], stop: ['anyone'] },
  })
  await using talk = await createChatRig(config)
  const { rig, chat, said } = talk
  const say = async (who: string, proofs: readonly string[], text: string) => {
    await chat.hear({ speaker: { name: who, who, proofs }, text, reply: (line) => void said.push(line) })
    return said.at(-1)!
  }
  assert.equal(
    await say('mallory', ['account:mallory'], 'force build full'),
    'Sorry, "mallory" may not do this (force) here. "access.force" in the config of the master says who may.',
  )
  assert.match(await say('jane', [], 'force build full'), /^Sorry/, 'a name proves nothing')
  assert.match(await say('janie', ['account:jane'], 'force build full for me'), /^Build of full is asked for/)
  assert.match(await say('mallory', [], 'cancel #1'), /^Sorry/)
  assert.match(await say('mallory', [], 'pause bot-1'), /^Sorry/)
  await rig.master.cancel({ request: 1, who: 'root', reason: 'tidy' }, 'cli')
  const audits = await rig.master.query.audits()
  assert.deepEqual(
    audits.map(({ action, who, via, refusal }) => [action, who, via, refusal === null]),
    [
      ['cancel', 'root', 'cli', true],
      ['pause', 'mallory', 'test', false],
      ['cancel', 'mallory', 'test', false],
      ['force', 'janie', 'test', true],
      ['force', 'jane', 'test', false],
      ['force', 'mallory', 'test', false],
    ],
  )
  assert.deepEqual(audits[3]!.proofs, ['account:jane'])
  assert.equal(audits[3]!.reason, 'for me')
  assert.equal(audits[3]!.builder, 'full')
})

test('what a guard refuses is recorded as well, with its sentence', async () => {
  const strict = definePlugin({
    name: 'strict',
    kind: 'service',
    apply(host) {
      host.tap('guardAction', () => {
        throw new CiError({ code: 'TEAM_NOT_NOW', message: 'Not on Fridays.' })
      })
    },
  })
  await using rig = await createRig(chatConfig({ plugins: [strict()] }))
  await assert.rejects(rig.master.force({ builder: 'full', who: 'jane', reason: 'x' }, 'cli'), { code: 'TEAM_NOT_NOW' })
  const [audit] = await rig.master.query.audits({ limit: 1 })
  assert.equal(audit!.refusal, 'Not on Fridays.')
})
