import {
  defineStep,
  isJson,
  isSecretRef,
  type Json,
  type PluginInstance,
  type Renderable,
  type Result,
  type Schema,
  type SourceStamp,
  type StepContext,
  worst,
} from 'boltbot/plugin-sdk'
import { z } from 'zod'

export interface TriggerOptions {
  /** Schedulers made by `triggerable`, by object or name. */
  readonly schedulerNames: readonly (PluginInstance<'scheduler'> | string)[]
  /** True: the step ends when the builds have, with the worst of their results. Default false: it ends when they are queued. */
  readonly waitForFinish?: boolean | undefined
  /** Properties of the builds. */
  readonly setProperties?: Readonly<Record<string, Renderable<Json>>> | undefined
  /** Properties of this build that they get as well, when it has them. */
  readonly copyProperties?: readonly string[] | undefined
  /** Builds this instead of what this build was made from; fields left out: the newest of the default branch. */
  readonly sourceStamp?: Renderable<TriggerStamp> | undefined
  /** True: builds the newest of this build's branch. Default false. */
  readonly alwaysUseLatest?: boolean | undefined
  /** True, the default: builds the revision that this build checked out. False: just what this build was asked for. */
  readonly updateSourceStamp?: boolean | undefined
}

export type TriggerStamp = Partial<Pick<SourceStamp, 'branch' | 'revision' | 'repository' | 'project' | 'codebase'>>

interface Checked extends Omit<TriggerOptions, 'schedulerNames'> {
  readonly schedulerNames: readonly string[]
}

const scheduler = z.custom<PluginInstance<'scheduler'> | string>((value) => {
  if (typeof value === 'string') return value !== ''
  if (typeof value !== 'object' || value === null) return false
  const { kind, pluginKind } = value as Partial<PluginInstance> // any object may be asked
  return kind === 'plugin' && pluginKind === 'scheduler'
}, 'Give a scheduler made by triggerable, or its name.')

/** A value with interpolations inside, which are plain data themselves. Properties are stored and shown, so secrets may not be. */
const renderable = z.custom<Renderable<Json>>(
  (value) => isJson(value) && !holdsSecret(value),
  'Give a JSON value; interpolate`…` may be inside, secrets may not.',
)
const text = z.custom<Renderable<string>>(
  (value) =>
    typeof value === 'string' || (isJson(value) && (value as { kind?: Json } | null)?.kind === 'interpolation'),
  'Give a text.',
)

const schema: Schema<TriggerOptions, Checked> = z
  .strictObject({
    schedulerNames: z
      .array(scheduler, 'Give a list of schedulers made by triggerable.')
      .min(1, 'Give at least one scheduler.')
      .transform((list) => [...new Set(list.map(nameOf))]),
    waitForFinish: z.boolean('Give true or false.').optional(),
    setProperties: z.record(z.string(), renderable, 'Give an object of property names and values.').optional(),
    copyProperties: z.array(z.string('Give the name of a property.'), 'Give a list of property names.').optional(),
    sourceStamp: z
      .strictObject(
        {
          branch: text.nullable(),
          revision: text.nullable(),
          repository: text,
          project: text,
          codebase: text,
        },
        "Give an object such as { branch: 'main' }.",
      )
      .partial()
      .optional(),
    alwaysUseLatest: z.boolean('Give true or false.').optional(),
    updateSourceStamp: z.boolean('Give true or false.').optional(),
  })
  .superRefine(({ sourceStamp, alwaysUseLatest, updateSourceStamp }, issues) => {
    const tell = (key: string, message: string) => issues.addIssue({ code: 'custom', path: [key], message })
    if (sourceStamp !== undefined && alwaysUseLatest) tell('alwaysUseLatest', 'sourceStamp says what is built already.')
    if (updateSourceStamp && (sourceStamp !== undefined || alwaysUseLatest))
      tell('updateSourceStamp', 'It goes with the source of this build only: leave it out.')
  }) as Schema<TriggerOptions, Checked> // zod gives the fields of sourceStamp `undefined`, which never are

/**
 * Has triggerable schedulers build: what this build was made from, at the revision it checked out, unless told otherwise.
 *
 * While it waits, this build keeps its slave and its locks. Builds that only this slave can run, or that want those locks, would
 * never begin: why they wait says so. Stopping this build ends the waiting; the builds go on.
 *
 * @example
 * const packages = triggerable({ name: 'packages', builders: [tarball] })
 * trigger({ schedulerNames: [packages], waitForFinish: true, copyProperties: ['version'], setProperties: { upload: true } })
 */
export const trigger = defineStep({
  name: 'trigger',
  schema,
  flags: { flunkOnFailure: true },
  describe: ({ schedulerNames }) => ({
    running: ['triggering', ...schedulerNames],
    done: ['trigger', ...schedulerNames],
  }),
  async run(context, options) {
    const { schedulerNames, waitForFinish: wait = false } = options
    const order = { wait, sourceStamp: stampOf(context, options), properties: propertiesOf(context, options) }
    // All are queued before any is waited for: they run side by side.
    const triggered = []
    for (const name of schedulerNames) {
      const { buildset, requests, finished } = await context.trigger({ ...order, scheduler: name })
      const which = `buildset ${buildset}, ${requests.length === 1 ? 'request' : 'requests'} ${requests.join(', ')}`
      await context.write('stdio', 'header', `${name}: ${which}\n`)
      triggered.push({ name, finished })
    }
    if (!wait) return { result: 'success' }
    let result: Result = 'success'
    for (const { name, finished } of triggered) {
      const ended = await finished
      await context.write('stdio', 'header', `${name}: ${ended}\n`)
      result = worst(result, ended)
    }
    return { result }
  },
})

function stampOf(
  context: StepContext,
  { sourceStamp, alwaysUseLatest, updateSourceStamp }: Checked,
): Partial<SourceStamp> {
  if (sourceStamp !== undefined) return context.render<TriggerStamp>(sourceStamp)
  const { branch, repository, project, codebase } = context.sourceStamp
  if (alwaysUseLatest) return { branch, repository, project, codebase }
  const got = context.properties.got_revision?.value
  if (updateSourceStamp === false || typeof got !== 'string' || got === '') return context.sourceStamp
  return { ...context.sourceStamp, revision: got }
}

function propertiesOf(
  context: StepContext,
  { copyProperties = [], setProperties = {} }: Checked,
): Record<string, Json> {
  const copied = copyProperties.flatMap((name) => {
    const found = context.properties[name]
    return found === undefined ? [] : [[name, found.value] as const]
  })
  return { ...Object.fromEntries(copied), ...context.render<Record<string, Json>>(setProperties) }
}

function holdsSecret(value: Json): boolean {
  if (typeof value !== 'object' || value === null) return false
  return isSecretRef(value) || Object.values(value).some(holdsSecret)
}

/** The name a scheduler registers under. */
function nameOf(given: PluginInstance<'scheduler'> | string): string {
  if (typeof given === 'string') return given
  const { name } = given.options as { readonly name?: unknown } // options of any plugin may be asked
  return typeof name === 'string' ? name : given.id
}
