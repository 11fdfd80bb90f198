/** The other end broke the protocol: a reason to close that link, and nothing else. The message is one sentence. */
export class PbProblem extends Error {
  override readonly name = 'PbProblem'
}
