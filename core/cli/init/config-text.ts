import type { Guess, GuessedStep } from './guess-steps.ts'

export interface FirstConfig {
  readonly project: string
  readonly repourl: string
  readonly branch: string
  readonly guess: Guess | undefined
  /** Of a server that asks for one. */
  readonly login: { readonly username: string; readonly secret: string } | undefined
}

/** A config that checks a repository out and builds each commit of one branch, on this machine. */
export function configText({ project, repourl, branch, guess, login }: FirstConfig): string {
  const steps = guess?.steps ?? [{ kind: 'shellCommand', name: 'look', command: ['ls', '-l'] } as const]
  const kinds = [...new Set(steps.map((step) => step.kind))].sort()
  const why =
    guess === undefined ? 'No build file was known: put in here what builds and tests it.' : `From ${guess.from}.`
  const names = ['builder', 'buildFactory', 'defineMaster', ...(login === undefined ? [] : ['secret']), 'slave']
  const where = login === undefined ? 'repourl' : 'repourl, credentials'
  return `// The config of this master: data only, nothing opens while it is read.
//   boltbot checkconfig   shows every mistake in it
//   boltbot reconfig .    has the running master read it again
import { ${names.join(', ')} } from 'boltbot'
import { scheduler } from 'boltbot/plugins/schedulers'
import { local } from 'boltbot/plugins/slaves/local'
import { consoleStatus } from 'boltbot/plugins/status/console'
import { ${kinds.join(', ')} } from 'boltbot/plugins/steps'
import { git, gitPoller } from 'boltbot/plugins/vc/git'

const repourl = ${quoted(repourl)}
${login === undefined ? '' : credentialsText(login)}
// A process that the master starts itself, on this machine. How slaves on other machines come is in docs/config.md.
const here = slave({ name: 'here' })

// ${why}
const full = builder({
  name: 'full',
  slaves: [here],
  factory: buildFactory([
    git({ ${where} }),
${steps.map((step) => `    ${stepText(step)},\n`).join('')}  ]),
})

export default defineMaster({
  projectName: ${quoted(project)},
  transports: [local()],
  slaves: [here],
  builders: [full],
  sources: [gitPoller({ ${where}, branches: [${quoted(branch)}] })],
  // Waits until nobody has committed for a minute, then builds all of it at once.
  schedulers: [scheduler({ name: 'commits', branch: ${quoted(branch)}, treeStableTimer: '1m', builders: [full] })],
  status: [consoleStatus()],

  // Web pages at http://127.0.0.1:8010/, beside the other status targets:
  //   import { web } from 'boltbot/plugins/status/web'
  //   http: { port: 8010 }, status: [consoleStatus(), web()],

  // Who is told what came of it:
  //   import { mailNotifier } from 'boltbot/plugins/status/mail'
  //   status: [mailNotifier({ fromaddr: 'ci@example.org', relayhost: 'mail.example.org', mode: 'problem' })],
})
`
}

function credentialsText({ username, secret }: NonNullable<FirstConfig['login']>): string {
  return `// The password is the file secrets/${secret} beside this one.
const credentials = { username: ${quoted(username)}, password: secret(${quoted(secret)}) }
`
}

function stepText({ kind, name, command }: GuessedStep): string {
  const named = name === undefined ? '' : `name: ${quoted(name)}, `
  return `${kind}({ ${named}command: [${command.map(quoted).join(', ')}] })`
}

const quoted = (text: string) =>
  `'${text.replace(/[\\']/g, '\\$&').replace(/[\n\r\u2028\u2029]/g, (sign) => JSON.stringify(sign).slice(1, -1))}'`
