/** A value cannot be made of what came, or cannot be sent. That call fails; the link stays. The message is one sentence. */
export class JellyProblem extends Error {
  override readonly name = 'JellyProblem'
}
