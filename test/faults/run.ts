// The long run of real kills: `npm run faults -- [--kills N] [--seed N]`. Half as many agents are killed as masters.
import { spawn } from 'node:child_process'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'

const { values } = parseArgs({ options: { kills: { type: 'string', default: '300' }, seed: { type: 'string' } } })
const child = spawn(
  process.execPath,
  ['--disable-warning=ExperimentalWarning', resolve('test/faults/faults.test.ts')],
  {
    stdio: 'inherit',
    env: {
      ...process.env,
      BOLTBOT_FAULTS_KILLS: values.kills,
      ...(values.seed !== undefined && { BOLTBOT_FAULTS_SEED: values.seed }),
    },
  },
)
child.on('exit', (code) => process.exit(code ?? 1))
