/** What a story's config is made of; the rest is the same for all. Texts are TypeScript. */
export interface ConfigParts {
  readonly slavePort: number
  readonly slaves?: readonly string[]
  /** Polled, and built when `main` was stable for a moment. */
  readonly repourl?: string
  readonly treeStableTimer?: string
  /** The builder's steps, as they would be written: `git({ repourl }), test()`. */
  readonly steps: string
  readonly builderOptions?: string
  readonly masterOptions?: string
  /** More status targets, each with a comma behind it. */
  readonly status?: string
  readonly imports?: string
}

export const PASSWORD = 'open sesame'

/** A `master.cfg.ts` of a story: one builder, `full`, on all slaves. */
export function configText(parts: ConfigParts): string {
  const { slavePort, slaves = ['bot-1'], repourl, treeStableTimer = '300ms', steps } = parts
  return `
import { appendFileSync, existsSync } from 'node:fs'
import { builder, buildFactory, defineMaster, interpolate, slave } from 'boltbot'
import { scheduler } from 'boltbot/plugins/schedulers'
import { agents } from 'boltbot/plugins/slaves/websocket'
import { mailNotifier } from 'boltbot/plugins/status/mail'
import { compile, shellCommand, test } from 'boltbot/plugins/steps'
import { git, gitPoller } from 'boltbot/plugins/vc/git'
import { recorder } from './recorder.ts'
${parts.imports ?? ''}
const repourl = ${JSON.stringify(repourl ?? '')}
const slaves = ${JSON.stringify(slaves)}.map((name) => slave({ name, password: ${JSON.stringify(PASSWORD)} }))
const full = builder({
  name: 'full', slaves, ${parts.builderOptions ?? ''}
  factory: buildFactory([${steps}]),
})
export default defineMaster({
  projectName: 'Hello', projectURL: 'https://hello.example.org/',
  transports: [agents({ port: 'tcp:${slavePort}:interface=127.0.0.1' })],
  slaves, builders: [full],
  ${
    repourl === undefined
      ? ''
      : `sources: [gitPoller({ repourl, branches: ['main'], pollInterval: '200ms' })],
  schedulers: [scheduler({ name: 'tests', branch: 'main', treeStableTimer: '${treeStableTimer}', builders: [full] })],`
  }
  status: [recorder(), ${parts.status ?? ''}],
  ${parts.masterOptions ?? ''}
})
`
}

/** A plugin in the config's folder that tells the story what happens: one line of JSON per event on standard output. */
export const RECORDER = `
import { definePlugin, HOOK_KINDS, type HookName } from 'boltbot/plugin-sdk'

export const recorder = definePlugin({
  name: 'recorder', kind: 'status',
  apply(host) {
    for (const [name, kind] of Object.entries(HOOK_KINDS))
      if (kind === 'observe' && name !== 'logAppended')
        host.tap(name as HookName, (event) => void process.stdout.write(JSON.stringify({ name, event }) + '\\n'))
  },
})
`
