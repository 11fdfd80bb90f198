import type { BuildFinished } from '../../events.ts'
import type { HookEvent, StoredHook } from '../../hooks.ts'
import { definePlugin, type PluginInstance } from '../../plugin.ts'

/** Something that happened in the rig, by the name of its hook. */
export type RigEvent = { [Name in StoredHook]: { readonly name: Name; readonly event: HookEvent<Name> } }[StoredHook]

const TOLD = {
  changeAccepted: true,
  sourceFailing: true,
  buildsetCreated: true,
  requestQueued: true,
  requestCancelled: true,
  buildStarted: true,
  stepStarted: true,
  stepFinished: true,
  buildFinished: true,
  buildsetDoomed: true,
  buildsetFinished: true,
  slaveConnected: true,
  slaveLost: true,
  slaveMissing: true,
  slaveBack: true,
  configApplied: true,
  configRejected: true,
} as const

const NAMES = Object.keys(TOLD) as (keyof typeof TOLD)[]

/** A plugin that writes down all that happens. */
export function createRecorder(told: (event: RigEvent) => void): PluginInstance {
  return definePlugin({
    name: 'rig/recorder',
    kind: 'status',
    apply(host) {
      for (const name of NAMES) host.tap(name, (event) => told({ name, event } as RigEvent)) // pairs by construction
    },
  })()
}

/** One line for people: `buildFinished full #0 on bot success`. */
export function storyLine({ name, event }: RigEvent): string {
  const said: unknown[] = [name]
  if ('builder' in event) said.push(event.builder)
  if ('number' in event) said.push(`#${event.number}`)
  if ('slave' in event) said.push(`on ${event.slave}`)
  if ('name' in event) said.push(event.name)
  if ('change' in event) said.push(event.change.revision ?? event.change.comments)
  if ('cause' in event) said.push(event.cause)
  if ('result' in event) said.push((event as BuildFinished).result)
  return said.join(' ')
}
