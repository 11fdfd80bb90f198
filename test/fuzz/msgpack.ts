import { createPeer } from '../../wire/msgpack/peer.ts'
import { messagesOf } from '../wire/msgpack/captures.ts'
import { mutate } from './mutate.ts'
import { expectOnly, pick, type Target } from './target.ts'

const messages = ['msgpack-shell', 'msgpack-allcmds', 'msgpack-interrupt-shutdown'].flatMap((name) => [
  ...messagesOf(name, 'c2s'),
  ...messagesOf(name, 's2c'),
])

/** A message ends well, is passed over, or is a problem of the protocol. */
export const msgpack: Target = {
  name: 'msgpack',
  run(chance) {
    const peer = createPeer({ send: () => {}, handle: () => null, trouble: () => {} })
    expectOnly('ProtocolError', () => peer.receive(mutate(pick(messages, chance), pick(messages, chance), chance)))
  },
}
