// Claim: an IRC server that is down, with all news on, costs builds nothing: over ten interleaved pairs the interval of the ratio of
// builds with and without reaches 1. The builds last as long as the shortest real ones.
import { CHAT_NEWS } from 'boltbot/plugin-sdk'
import { irc } from '../plugins/status/irc/index.ts'
import { compareWithDead } from './dead-pairs.ts'
import { startMuteServer } from './mute-server.ts'

// Two ways to be dead: nobody listens; somebody does and says nothing.
await using mute = await startMuteServer()
const dead = { host: '127.0.0.1', tls: false, nick: 'hellobot', channels: ['#hello'], notify: [...CHAT_NEWS] }
const networks = [
  { ...dead, name: 'refused', port: 9 },
  { ...dead, name: 'mute', port: mute.port },
]
await compareWithDead({ name: 'IRC servers', dead: { status: [irc({ networks })] }, builds: 200, commandMs: 50 })
