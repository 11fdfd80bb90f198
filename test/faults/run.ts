// The long runs of real kills, with half as many kills of agents as of masters: `npm run faults -- [--kills N] [--seed N]`; with
// `--mails N` so many builds that are told by mail, while the mail server comes and goes.
import { spawn } from 'node:child_process'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: { kills: { type: 'string' }, mails: { type: 'string' }, seed: { type: 'string' } },
})
const { kills, mails, seed } = values
const file = mails === undefined ? 'test/faults/faults.test.ts' : 'test/faults/mails.test.ts'
const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', resolve(file)], {
  stdio: 'inherit',
  env: {
    ...process.env,
    BOLTBOT_FAULTS_KILLS: kills ?? (mails === undefined ? '300' : '20'),
    ...(mails !== undefined && { BOLTBOT_FAULTS_MAILS: mails }),
    ...(seed !== undefined && { BOLTBOT_FAULTS_SEED: seed }),
  },
})
child.on('exit', (code) => process.exit(code ?? 1))
