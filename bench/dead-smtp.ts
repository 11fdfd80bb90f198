// Claim: that a mail server is down, with a mail about every build, costs builds nothing: over ten interleaved pairs the interval of the
// ratio of builds with a dead one and with a living one reaches 1. Making and storing a mail takes a millisecond of a processor, with
// any server: the builds last as long as the shortest real ones, so that there is one left.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { mailNotifier } from 'boltbot/plugins/status/mail'
import { compareWithDead } from './dead-pairs.ts'
import { startMuteServer } from './mute-server.ts'

const child = fork(fileURLToPath(new URL('./mail-server-child.ts', import.meta.url)))
const [port] = (await once(child, 'message')) as [number]
// Two ways to be dead: nobody listens; somebody does and says nothing.
await using mute = await startMuteServer()
const mailing = (smtpPort: number) => ({
  status: [
    mailNotifier({
      fromaddr: 'ci@example.org',
      relayhost: '127.0.0.1',
      smtpPort,
      tls: 'none',
      extraRecipients: ['team@example.org'],
    }),
  ],
  outbox: { budget: false as const },
})
for (const [name, dead] of [
  ['refusing mail server', mailing(9)],
  ['silent mail server', mailing(mute.port)],
] as const)
  await compareWithDead({ name, dead, living: mailing(port), builds: 200, commandMs: 50 })
child.disconnect()
