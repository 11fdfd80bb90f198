import { RemoteError } from '../../../wire/pb/remote-error.ts'
import { RemoteReference, type Value } from '../../../wire/pb/values.ts'

/** Calls of objects of the client. What it does with them is its own affair, but it must answer. */
export interface Telling {
  /** Never rejects; resolves when the client has answered. Who is no object of the client is not called. */
  tell(target: Value | undefined, method: string, ...args: readonly Value[]): Promise<void>
}

/** A client that answers none of so many is not there any more. */
const MOST_UNANSWERED = 10_000

export function createTelling(stuck: () => void): Telling {
  let unanswered = 0
  return {
    async tell(target, method, ...args) {
      if (!(target instanceof RemoteReference)) return
      if (++unanswered > MOST_UNANSWERED) stuck()
      await target.call(method, args).catch((error: unknown) => {
        // It need not have the method. Anything else: it is gone, or holds more objects than it may.
        if (!(error instanceof RemoteError)) stuck()
      })
      unanswered--
    },
  }
}
