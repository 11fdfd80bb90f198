/** The other end broke the protocol: a reason to close that link, and nothing else. The message is one sentence. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError'
}
