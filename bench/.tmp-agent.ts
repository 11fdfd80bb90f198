import { mkdtempSync } from 'node:fs'
import { spawn } from 'node:child_process'
import { builder, buildFactory, slave } from 'boltbot/plugin-sdk'
import { shellCommand } from '../plugins/steps/index.ts'
import { agents } from '../plugins/slaves/websocket/index.ts'
import { makeSlaveDirectory } from '../core/cli/slave-directory.ts'
import { startBenchMaster } from './bench-master.ts'
const port = Promise.withResolvers<number>()
await using bench = await startBenchMaster({ config: { transports: [agents({ port: 0, onListening: port.resolve })], slaves: [slave({ name: 'bot', password: 'x' })], builders: [builder({ name: 'full', slaves: ['bot'], mergeRequests: false, factory: buildFactory([shellCommand({ command: ['true'] })]) })] } })
const N = +(process.argv[2] ?? 800)
await bench.enqueue('full', N)
const dir = mkdtempSync('/tmp/bba-')
makeSlaveDirectory(dir, { url: `ws://127.0.0.1:${await port.promise}`, name: 'bot', password: 'x' }, { keepalive: 60, maxdelay: 1 })
const c = spawn(process.execPath, [...(process.env.AGENT_PROF ? ['--cpu-prof', '--cpu-prof-dir=/tmp/prof/agent'] : []), '--disable-warning=ExperimentalWarning', 'slave/main.ts', dir], { stdio: ['ignore','ignore', process.env.AGENT_LOG ? 'inherit' : 'ignore'] })
await bench.ended(50)
const cpu = process.cpuUsage(); const t = performance.now()
await bench.ended(N)
const { user, system } = process.cpuUsage(cpu)
console.log('builds/s', Math.round((N-50) / (performance.now() - t) * 1000), 'master cpu us/build', Math.round((user + system) / (N-50)))
c.kill(); await new Promise(r => c.on('exit', r))
