import { story } from '../e2e/rig.ts'
import { runFaults } from './faults.ts'

// `npm run faults -- --kills 300 [--seed N]` sets these for the long run.
const kills = Number(process.env.BOLTBOT_FAULTS_KILLS ?? 20)
const seed = Number(process.env.BOLTBOT_FAULTS_SEED ?? Date.now() % 1e9)

story(
  `nothing is lost or doubled over ${kills} kills of the master and ${Math.ceil(kills / 2)} of agents (seed ${seed})`,
  (world, t) =>
    runFaults(world, {
      seed,
      masterKills: kills,
      agentKills: Math.ceil(kills / 2),
      told: (line) => t.diagnostic(`seed ${seed}: ${line}`),
    }),
  60_000 + kills * 20_000,
)
