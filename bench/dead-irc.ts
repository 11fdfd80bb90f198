// Claim: IRC networks that are down, with all news on, cost builds nothing: over ten interleaved pairs the interval of the ratio of builds
// with and without reaches 1; held against a master without IRC, and against one whose networks are there and hear it all. The builds
// last as long as the shortest real ones.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { CHAT_NEWS } from 'boltbot/plugin-sdk'
import { irc } from '../plugins/status/irc/index.ts'
import { compareWithDead } from './dead-pairs.ts'
import { startMuteServer } from './mute-server.ts'

const BUILDS = 200

// Two ways to be dead: nobody listens; somebody does and says nothing.
await using mute = await startMuteServer()
const child = fork(fileURLToPath(new URL('./irc-server-child.ts', import.meta.url)))
const [port] = (await once(child, 'message')) as [number]
const on = (ports: Readonly<Record<string, number>>) => ({
  status: [
    irc({
      networks: Object.entries(ports).map(([name, at]) => ({
        name,
        host: '127.0.0.1',
        port: at,
        tls: false,
        nick: 'hellobot',
        channels: ['#hello'],
        notify: [...CHAT_NEWS],
        // As fast as it likes: on a living network all is said.
        lineRate: { burst: 100, every: '10ms' },
      })),
    }),
  ],
})
const dead = on({ refused: 9, mute: mute.port })
await compareWithDead({ name: 'IRC, against none', dead, builds: BUILDS, commandMs: 50 })
const living = on({ one: port, another: port })
const pairs = await compareWithDead({ name: 'IRC, against living', dead, living, builds: BUILDS, commandMs: 50 })
child.send('how many')
const [told] = (await once(child, 'message')) as [number]
// The builds before the channels were joined, and after the last line was sent, are not all of those that were measured.
if (told < 2 * pairs * BUILDS)
  throw new Error(`Of ${2 * pairs * BUILDS} ends of builds the living networks were told ${told}.`)
child.disconnect()
