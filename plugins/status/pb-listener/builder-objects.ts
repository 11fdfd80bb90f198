import type { BuildView, Change } from 'boltbot/plugin-sdk'
import { Referenceable, Tuple, type Value } from '../../../wire/pb/values.ts'
import { numberOf, present } from './objects.ts'
import type { TreeContext } from './tree.ts'

export function createBuilderObject(name: string, { host: { query }, tree }: TreeContext): Referenceable {
  const view = () => present(`builder "${name}"`, query.builder(name))
  const object = (build: BuildView | undefined): Value => (build === undefined ? null : tree.build(build))
  async function current(): Promise<Value[]> {
    const running = await query.builds({ builder: name, running: true })
    return running.map((build) => tree.build(build)).toReversed()
  }
  return new Referenceable({
    getName: () => name,
    getCategory: async () => (await view()).category,
    /** The second stands for an estimate that was moved to builds. */
    getState: async () => new Tuple([(await view()).state, null, await current()]),
    getSlaves: async () => (await view()).slaves.map((slave) => tree.slave(slave)),
    getLastFinishedBuild: async () =>
      object((await query.builds({ builder: name, limit: 100 })).find(({ finishedAt }) => finishedAt !== null)),
    getCurrentBuilds: current,
    /** Negative numbers count from the newest. */
    async getBuild([given]) {
      const number = numberOf(given)
      if (!Number.isSafeInteger(number) || number < -1000) return null
      if (number >= 0) return object(await query.buildByNumber(name, number))
      return object((await query.builds({ builder: name, limit: -number }))[-number - 1])
    },
  })
}

export function createSlaveObject(name: string, { host: { query } }: TreeContext): Referenceable {
  const view = async () =>
    present(`slave "${name}"`, Promise.resolve((await query.slaves()).find((slave) => slave.name === name)))
  return new Referenceable({
    getName: () => name,
    getAdmin: async () => (await view()).admin,
    getHost: async () => (await view()).host,
    isConnected: async () => (await view()).connectedAt !== null,
  })
}

export function createChangeObject({ id, who, files, comments, branch, revision, when }: Change): Referenceable {
  return new Referenceable({
    getNumber: () => id,
    getWho: () => who,
    getFiles: () => [...files],
    getComments: () => comments,
    getBranch: () => branch,
    getRevision: () => revision,
    getTimes: () => new Tuple([when / 1000, null]),
  })
}
