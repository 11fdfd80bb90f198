import { story } from '../e2e/rig.ts'
import { runMailFlood } from './mail-flood.ts'

// `npm run faults -- --mails 10000 --kills 20 [--seed N]` sets these for the long run.
const builds = Number(process.env.BOLTBOT_FAULTS_MAILS ?? 300)
const kills = Number(process.env.BOLTBOT_FAULTS_KILLS ?? 4)
const seed = Number(process.env.BOLTBOT_FAULTS_SEED ?? Date.now() % 1e9)

story(
  `each of ${builds} mails is taken over ${kills} kills of the master and a server that comes and goes; copies are no more than kills (seed ${seed})`,
  (world, t) => runMailFlood(world, { seed, builds, kills, told: (line) => t.diagnostic(`seed ${seed}: ${line}`) }),
  90_000 + kills * 20_000 + builds * 100,
)
