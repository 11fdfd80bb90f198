import { builder, buildFactory, hashPassword, slave } from 'boltbot/plugin-sdk'
import type { ScriptedSlave } from 'boltbot/plugin-sdk/testing'
import { web } from 'boltbot/plugins/status/web'
import { compile, shellCommand, test as testStep } from 'boltbot/plugins/steps'
import { each } from '../../../rig/parts.ts'
import { createRig, type Rig, type RigOptions } from '../../../rig/rig.ts'

export interface WebSite extends AsyncDisposable {
  readonly rig: Rig
  /** Without a slash at its end. */
  readonly url: string
  readonly linux: ScriptedSlave
  readonly bsd: ScriptedSlave
  /** Basic authorisation of jane. */
  readonly jane: Readonly<Record<string, string>>
  get(path: string, init?: RequestInit): Promise<Response>
  text(path: string): Promise<string>
  /** Hands in a change and lets what it starts come to its end, or to where it hangs. */
  change(revision: string, over?: Partial<Parameters<Rig['master']['submitChange']>[0]>): Promise<void>
}

const hash = await hashPassword('open sesame')

/** A master with pages, three builders and two slaves: a compile that fails when the revision says so, and a long one. */
export async function createSite(over: Partial<RigOptions> = {}): Promise<WebSite> {
  const steps = buildFactory([compile({ command: 'make' }), testStep({ command: 'make check' })])
  const rig = await createRig({
    slaves: [slave({ name: 'bot-linux', password: 'x' }), slave({ name: 'bot-bsd', password: 'x', maxBuilds: 1 })],
    builders: [
      builder({ name: 'full', slaves: ['bot-linux'], category: 'active', factory: steps }),
      builder({ name: 'full-bsd', slaves: ['bot-bsd'], category: 'active', factory: steps }),
      builder({
        name: 'docs & <more>',
        slaves: ['bot-bsd'],
        category: 'extras',
        factory: buildFactory([shellCommand({ command: ['make', 'docs'], name: 'docs' })]),
      }),
    ],
    schedulers: [each({ builders: ['full', 'full-bsd'] })],
    http: { port: 0 },
    projectName: 'Hello',
    projectURL: 'https://hello.example.org/',
    status: [web({ users: { jane: hash } })],
    access: Object.fromEntries(
      ['force', 'stop', 'cancel', 'rebuild'].map((act) => [act, ['person:jane', 'person:joe']]),
    ),
    ...over,
  })
  const url = rig.log.find('info', 'pages are served')[0]!.fields
  const base = `http://127.0.0.1:${url.port}`
  const linux = await rig.slave('bot-linux', [
    { match: 'make check', output: 'ok 1\nok 2\n' },
    {
      match: 'make',
      output: ['cc -c hello.c\n', { stream: 'stderr', data: 'hello.c:3: \u001b[33mwarning\u001b[0m: unused\n' }],
    },
  ])
  const bsd = await rig.slave('bot-bsd', [
    { match: 'make check', output: 'ok 1\nnot ok 2 <b>broken</b> & \u001b[1;31mred\u001b[0m\n', result: 1 },
    { match: 'docs', hang: true, output: 'page 1\n' },
    { match: 'make', output: 'cc -c hello.c\n' },
  ])
  const site: WebSite = {
    rig,
    url: base,
    linux,
    bsd,
    jane: { authorization: `Basic ${Buffer.from('jane:open sesame').toString('base64')}` },
    get: (path, init) => fetch(base + path, { redirect: 'manual', ...init }),
    text: async (path) => (await site.get(path)).text(),
    async change(revision, changed = {}) {
      await rig.master.submitChange(
        {
          who: 'Jane Doe <jane@example.org>',
          files: ['src/hello.c', 'README'],
          comments: `Say hello to ${revision}\n\nNobody did before.`,
          branch: 'main',
          repository: 'https://git.example.org/hello.git',
          revision,
          revlink: `https://git.example.org/hello/commit/${revision}`,
          ...changed,
        },
        'git',
      )
      await rig.settle()
      await rig.clock.advance(2000)
      await rig.settle()
    },
    [Symbol.asyncDispose]: () => rig[Symbol.asyncDispose](),
  }
  return site
}
