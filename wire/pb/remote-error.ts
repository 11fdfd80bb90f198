import { Failure } from './values.ts'

/** What a call of ours raised at the other end. The message is theirs. */
export class RemoteError extends Error {
  override readonly name = 'RemoteError'
  readonly failure: Failure

  constructor(failure: Failure) {
    super(failure.message || failure.type)
    this.failure = failure
  }

  /** True when it is of this class or one below it, by its dotted name. */
  is(type: string): boolean {
    return this.failure.type === type || this.failure.parents.includes(type)
  }
}

/** What a method of ours raises: told to the other end as it is. */
export class RaisedError extends Error {
  override readonly name = 'RaisedError'
  readonly failure: Failure

  constructor(type: string, message: string, parents: readonly string[] = [type]) {
    super(message)
    this.failure = new Failure({ type, message, parents })
  }
}

export const NO_SUCH_METHOD = 'twisted.spread.flavors.NoSuchMethod'
export const UNAUTHORIZED = 'twisted.cred.error.UnauthorizedLogin'

/** A worker that gets this tries again for ever; another error ends it. */
export const unauthorized = (message = 'Unauthorized login') =>
  new RaisedError(UNAUTHORIZED, message, [UNAUTHORIZED, 'twisted.cred.error.LoginFailed', 'builtins.Exception'])
