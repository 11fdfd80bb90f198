// Claim: when a build ends, its mail is on the way to the mail server within 50 ms, 99 times of 100.
import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { builder, buildFactory, slave } from 'boltbot/plugin-sdk'
import { mailNotifier } from 'boltbot/plugins/status/mail'
import { shellCommand } from 'boltbot/plugins/steps'
import { SMTPServer } from 'smtp-server'
import { startBenchMaster } from './bench-master.ts'
import { createInstantSlave } from './instant-slave.ts'
import { quantile, report } from './report.ts'

const BUILDS = 500
const WARM_UP = 50

let data = Promise.withResolvers<number>()
const tls = (name: string) => readFileSync(new URL(`../test/fixtures/tls/localhost.${name}`, import.meta.url))
const server = new SMTPServer({
  key: tls('key'),
  cert: tls('crt'),
  authOptional: true,
  disableReverseLookup: true,
  onData(stream, _, done) {
    data.resolve(performance.now())
    stream.on('end', () => done()).resume()
  },
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const { port } = server.server.address() as AddressInfo // it listens on TCP

await using bench = await startBenchMaster({
  config: {
    slaves: [slave({ name: 'bot', password: 'x' })],
    builders: [
      builder({ name: 'full', slaves: ['bot'], factory: buildFactory([shellCommand({ command: ['true'] })]) }),
    ],
    outbox: { budget: false },
    status: [
      mailNotifier({
        fromaddr: 'ci@example.org',
        relayhost: '127.0.0.1',
        smtpPort: port,
        extraRecipients: ['team@example.org'],
      }),
    ],
  },
})
await bench.door.attach(createInstantSlave('bot'))
let ended = 0
bench.onBuild(({ what }) => {
  if (what === 'finished') ended = performance.now()
})
const times: number[] = []
for (let i = 0; i < WARM_UP + BUILDS; i++) {
  data = Promise.withResolvers()
  await bench.master.force({ builder: 'full', who: 'bench', reason: 'bench' }, 'bench')
  const at = await data.promise
  if (i >= WARM_UP) times.push(at - ended)
}
server.close()
for (const part of [0.5, 0.99])
  report({
    name: `build finished to SMTP DATA, p${part * 100}`,
    ours: quantile(times, part),
    against: 50,
    unit: 'ms',
    limit: 'the aim',
    ...(part === 0.99 && { aim: { atMost: 1 } }),
  })
