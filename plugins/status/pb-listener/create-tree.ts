import type { Referenceable } from '../../../wire/pb/values.ts'
import { createBuildObject, createStepObject } from './build-objects.ts'
import { createBuilderObject, createChangeObject, createSlaveObject } from './builder-objects.ts'
import { createLogObject } from './log-object.ts'
import { createBuildsetObject, createNeverBuilt, createRequestObject } from './request-objects.ts'
import type { Tree, TreeContext } from './tree.ts'

/** Objects kept for one client; for what it has not heard of for so long it may get a second one. */
const MOST = 5000

export function createTree(given: Omit<TreeContext, 'tree'>): Tree {
  const objects = new Map<string, Referenceable>()

  /** The one that was made before, or a new one. Those that were asked for longest ago are dropped. */
  function kept(key: string, make: (context: TreeContext) => Referenceable): Referenceable {
    const object = objects.get(key) ?? make({ ...given, tree })
    objects.delete(key)
    objects.set(key, object)
    if (objects.size > MOST) objects.delete(objects.keys().next().value!)
    return object
  }

  const tree: Tree = {
    builder: (name) => kept(`builder ${name}`, (context) => createBuilderObject(name, context)),
    slave: (name) => kept(`slave ${name}`, (context) => createSlaveObject(name, context)),
    change: (change) => kept(`change ${change.id}`, () => createChangeObject(change)),
    // Views of builds are large, and not kept.
    build: ({ id, builder, number }) =>
      kept(`build ${id}`, (context) => createBuildObject({ id, builder, number }, context)),
    step: (step) => kept(`step ${step.build.id}/${step.step}`, (context) => createStepObject(step, context)),
    log: (log) => kept(`log ${log.build.id}/${log.step}/${log.log}`, (context) => createLogObject(log, context)),
    request: (request) => kept(`request ${request.id}`, (context) => createRequestObject(request, context)),
    buildset: (id) => kept(`buildset ${id}`, (context) => createBuildsetObject(id, context)),
    neverBuilt: (request) => kept(`never built ${request.id}`, () => createNeverBuilt(request)),
  }
  return tree
}
