import { Referenceable, Tuple, type Value } from '../../../wire/pb/values.ts'
import { present, resultNumber } from './objects.ts'
import type { RequestRef, TreeContext } from './tree.ts'
import { buildsetEnd } from './waiters.ts'

export function createBuildsetObject(id: number, { host: { query }, tree, waiters }: TreeContext): Referenceable {
  const view = () => present(`buildset ${id}`, query.buildset(id))
  async function requests() {
    const found = await Promise.all((await view()).requests.map((request) => query.request(request)))
    return found.filter((request) => request !== undefined)
  }
  const self: Referenceable = new Referenceable({
    getID: async () => (await view()).externalId,
    getReason: async () => (await view()).reason,
    getSourceStamp: async () => {
      const { branch, revision, patch } = (await view()).sourceStamp
      return new Tuple([branch, revision, patch === null ? null : new Tuple([patch.level, patch.body, patch.subdir])])
    },
    getBuilderNames: async () => (await requests()).map(({ builder }) => builder),
    getBuildRequests: async () =>
      (await requests()).map((request): Value => new Tuple([request.builder, tree.request(request)])),
    isFinished: async () => (await view()).finishedAt !== null,
    async waitUntilFinished() {
      await waiters.until(buildsetEnd(id), async () => (await view()).finishedAt !== null)
      return self
    },
    getResults: async () => resultNumber((await view()).result),
  })
  return self
}

export function createRequestObject(ref: RequestRef, { observers }: TreeContext): Referenceable {
  return new Referenceable({
    getBuilderName: () => ref.builder,
    async subscribe([client]) {
      await observers.watchRequest(ref, client)
      return null
    },
    unsubscribe([client]) {
      observers.unwatchRequest(ref, client)
      return null
    },
  })
}

/** Looks to a client like a build that was cancelled. */
export function createNeverBuilt({ builder }: RequestRef): Referenceable {
  const self: Referenceable = new Referenceable({
    getBuilderName: () => builder,
    isFinished: () => true,
    waitUntilFinished: () => self,
    getResults: () => resultNumber('cancelled'),
    getText: () => ['cancelled before it began'],
    subscribe: () => null,
    unsubscribe: () => null,
  })
  return self
}
