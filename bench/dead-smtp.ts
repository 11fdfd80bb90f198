// Claim: a mail server that is down, with a mail about every build, costs builds nothing: over ten interleaved pairs the interval of
// the ratio of builds with and without mail includes 1. To make and store a mail takes a millisecond of a processor, with any server:
// the builds last as long as the shortest real ones, so that there is one left.
import { mailNotifier } from 'boltbot/plugins/status/mail'
import { compareWithDead } from './dead-pairs.ts'
import { startMuteServer } from './mute-server.ts'

// Two ways to be dead: nobody listens; somebody does and says nothing.
await using mute = await startMuteServer()
for (const [name, smtpPort] of [
  ['refusing mail server', 9],
  ['silent mail server', mute.port],
] as const) {
  const mail = { fromaddr: 'ci@example.org', relayhost: '127.0.0.1', extraRecipients: ['team@example.org'] }
  const status = [mailNotifier({ ...mail, smtpPort })]
  await compareWithDead({ name, dead: { status, outbox: { budget: false } }, builds: 200, commandMs: 50 })
}
