import { decodeAgentMessage, decodeMasterMessage, encodeMessage } from '../../wire/agent/codec.ts'
import type { AgentMessage, MasterMessage } from '../../wire/agent/messages.ts'
import { mutate } from './mutate.ts'
import { expectOnly, pick, type Target } from './target.ts'

const id = { build: 7, epoch: 1, step: 0, index: 2 }
const bytes = (length: number) => Buffer.alloc(length, 'x')
const messages = (
  [
    { t: 'hello', version: 2, name: 'bot', nonce: bytes(32) },
    { t: 'challenge', version: 2, nonce: bytes(32) },
    { t: 'proof', proof: bytes(32) },
    { t: 'done', request: 3, error: null },
    { t: 'output', id, log: 'stdio', stream: 'stdout', offset: 300, data: bytes(200) },
    { t: 'upload', id, offset: 7, data: bytes(50) },
    { t: 'want', id, offset: 7, length: 4096 },
    { t: 'bytes', id, offset: 7, data: bytes(50) },
    { t: 'ack', id, log: 'stdio', offset: 500 },
    { t: 'resume', id, offsets: { stdio: 300 } },
    { t: 'builders', request: 3, builders: [{ name: 'full', directory: 'full' }] },
    { t: 'run', id, builder: 'full', command: { kind: 'shell', command: ['make', 'all'], env: { A: 'b' } } },
    { t: 'bye', reason: 'the master stops' },
  ] as unknown as readonly (AgentMessage | MasterMessage)[]
).map((message) => Buffer.from(encodeMessage(message)))

/** Our own protocol: a message is what its shape says, or a problem. */
export const agent: Target = {
  name: 'agent',
  run(chance) {
    const input = mutate(pick(messages, chance), pick(messages, chance), chance)
    for (const decode of [decodeAgentMessage, decodeMasterMessage])
      expectOnly('ProtocolError', () => void encodeMessage(decode(input)))
  },
}
