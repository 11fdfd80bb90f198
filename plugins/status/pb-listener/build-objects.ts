import type { BuildView, StepView } from 'boltbot/plugin-sdk'
import { Referenceable, Tuple, type Value } from '../../../wire/pb/values.ts'
import { colorOf, numberOf, present, resultNumber, times } from './objects.ts'
import { expectationsOf } from './step-progress.ts'
import type { BuildRef, StepRef, TreeContext } from './tree.ts'
import { buildEnd, stepEnd } from './waiters.ts'

export function createBuildObject(ref: BuildRef, context: TreeContext): Referenceable {
  const { host, tree, waiters, observers } = context
  const { id, builder, number } = ref
  const view = () => present(`build ${builder} #${number}`, host.query.build(id))
  const step = ({ number: at, name }: StepView) => tree.step({ build: ref, step: at, name })
  const self: Referenceable = new Referenceable({
    getBuilderName: () => builder,
    getNumber: () => number,
    getReason: async () => (await view()).reason,
    getSourceStamp: async () => sourceStamp(await view()),
    getChanges: async () => (await view()).changes.map((change) => tree.change(change)),
    getResponsibleUsers: async () => [...(await view()).blamelist],
    getSlavename: async () => (await view()).slave,
    getSteps: async () => (await view()).steps.map(step),
    getTimes: async () => {
      const { startedAt, finishedAt } = await view()
      return times(startedAt, finishedAt)
    },
    isFinished: async () => (await view()).finishedAt !== null,
    async waitUntilFinished() {
      await waiters.until(buildEnd(id), async () => (await view()).finishedAt !== null)
      return self
    },
    /** Seconds from now. */
    async getETA() {
      const { eta } = await view()
      return eta === undefined ? null : Math.max(0, (eta.at - host.clock.now()) / 1000)
    },
    async getCurrentStep() {
      const running = (await view()).steps.find(({ finishedAt }) => finishedAt === null)
      return running === undefined ? null : step(running)
    },
    getText: async () => [...(await view()).text],
    getColor: async () => colorOf((await view()).result),
    getResults: async () => resultNumber((await view()).result),
    getProperties: async () =>
      new Map<Value, Value>(
        Object.entries((await view()).properties).map(([name, { value, source }]) => [
          name,
          new Tuple([JSON.stringify(value), source]),
        ]),
      ),
    /** Of logs with one name the last. */
    async getLogs() {
      const { steps } = await view()
      return new Map<Value, Value>(
        steps.flatMap(({ number: at, name, logs }) =>
          logs.map((log) => [log, tree.log({ build: ref, step: at, name, log })] as const),
        ),
      )
    },
    subscribe([client, interval]) {
      observers.watchBuild(ref, client, numberOf(interval))
      return null
    },
    unsubscribe([client]) {
      observers.unwatchBuild(ref, client)
      return null
    },
  })
  return self
}

function sourceStamp({ sourceStamp: { branch, revision, patch } }: BuildView): Tuple {
  return new Tuple([branch, revision, patch === null ? null : new Tuple([patch.level, patch.body, patch.subdir])])
}

export function createStepObject(ref: StepRef, context: TreeContext): Referenceable {
  const { host, tree, waiters } = context
  const { build, step: number, name } = ref
  const view = async () => {
    const steps = (await host.query.build(build.id))?.steps
    return present(`step "${name}" of ${build.builder} #${build.number}`, Promise.resolve(steps?.[number]))
  }
  const self: Referenceable = new Referenceable({
    getName: () => name,
    getBuild: () => tree.build(build),
    getTimes: async () => {
      const { startedAt, finishedAt } = await view()
      return times(startedAt, finishedAt)
    },
    getExpectations: async () => (await expectationsOf(await view(), build.builder, host)).expectations,
    getETA: async () => (await expectationsOf(await view(), build.builder, host)).eta,
    getLogs: async () =>
      new Map<Value, Value>((await view()).logs.map((log) => [log, tree.log({ ...ref, log })] as const)),
    isFinished: async () => (await view()).finishedAt !== null,
    async waitUntilFinished() {
      await waiters.until(stepEnd(build.id, number), async () => (await view()).finishedAt !== null)
      return self
    },
    getText: async () => [(await view()).text],
    getColor: async () => colorOf((await view()).result),
    /** The second: texts for the build's, which ours makes itself. */
    getResults: async () => new Tuple([resultNumber((await view()).result), []]),
  })
  return self
}
