import { bytesOf, readCapture } from '../pb/captures.ts'

/** The binary messages of one direction of a recording, out of their WebSocket frames. */
export function messagesOf(name: string, dir: 'c2s' | 's2c'): readonly Buffer[] {
  const bytes = bytesOf(readCapture(name), dir)
  const messages: Buffer[] = []
  for (let at = bytes.indexOf('\r\n\r\n') + 4; at + 2 <= bytes.length; ) {
    const opcode = bytes[at]! & 0x0f
    const masked = bytes[at + 1]! >= 0x80
    const short = bytes[at + 1]! & 0x7f
    const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0
    const length =
      lengthBytes === 0 ? short : Number(BigInt(`0x${bytes.subarray(at + 2, at + 2 + lengthBytes).toString('hex')}`))
    const maskAt = at + 2 + lengthBytes
    const start = maskAt + (masked ? 4 : 0)
    const payload = Buffer.from(bytes.subarray(start, start + length))
    if (masked) for (let i = 0; i < payload.length; i++) payload[i]! ^= bytes[maskAt + (i % 4)]!
    if (opcode === 2) messages.push(payload)
    at = start + length
  }
  return messages
}
