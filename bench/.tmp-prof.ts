import { builder, buildFactory, slave } from 'boltbot/plugin-sdk'
import { startBenchMaster } from '/work/main/bench/bench-master.ts'
import { createInstantSlave } from '/work/main/bench/instant-slave.ts'
import { shellCommand } from '/work/main/plugins/steps/index.ts'

await using bench = await startBenchMaster({
  config: {
    slaves: [slave({ name: 'bot', password: 'x' })],
    builders: [
      builder({
        name: 'full',
        slaves: ['bot'],
        mergeRequests: false,
        factory: buildFactory([shellCommand({ command: ['true'] })]),
      }),
    ],
  },
})
const N = 1500
for (let r = 0; r < 4; r++) {
  await bench.enqueue('full', N)
  const l = createInstantSlave('bot')
  const cpu = process.cpuUsage()
  const t = performance.now()
  const target = bench.finished + N
  await bench.door.attach(l)
  await bench.ended(target)
  const { user, system } = process.cpuUsage(cpu)
  console.log(
    'builds/s',
    Math.round((N / (performance.now() - t)) * 1000),
    'cpu us/build',
    Math.round((user + system) / N),
    'user',
    Math.round(user / N),
  )
  l.close('x')
}
