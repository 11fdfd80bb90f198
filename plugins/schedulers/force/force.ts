import { checkForm, definePlugin, type Json, type Schema } from 'boltbot/plugin-sdk'
import { z } from 'zod'
import { buildsetOf, type CheckedCommon, type CommonOptions, commonShape } from '../options.ts'
import { type ForceParameter, type ForceParameters, forceParameter, forceParameters, namedFields } from './fields.ts'

export interface ForceSchedulerOptions extends Omit<CommonOptions, 'reason' | 'priority'> {
  /** What is built; each default is a text that may be left empty: the newest of the default branch. */
  readonly branch?: ForceParameter | undefined
  readonly revision?: ForceParameter | undefined
  readonly repository?: ForceParameter | undefined
  readonly project?: ForceParameter | undefined
  /** Why; default is a text, filled in with `force build`. */
  readonly reason?: ForceParameter | undefined
  /** Default is fixed: 0. */
  readonly priority?: ForceParameter | undefined
  /** Properties of the build, by name. */
  readonly parameters?: ForceParameters | undefined
}

interface Checked extends Omit<CheckedCommon, 'reason' | 'priority'> {
  readonly own: ForceParameters
  readonly parameters: ForceParameters
}

const OWN = ['reason', 'branch', 'revision', 'repository', 'project', 'priority'] as const
const TEXT: ForceParameter = { type: 'string' }
const FIXED_TEXT: ForceParameter = { type: 'fixed', default: '' }
const DEFAULTS = {
  reason: { type: 'string', default: 'force build' },
  branch: TEXT,
  revision: TEXT,
  repository: FIXED_TEXT,
  project: FIXED_TEXT,
  priority: { type: 'fixed', default: 0 },
} as const satisfies Record<(typeof OWN)[number], ForceParameter>

const { name, builders, properties } = commonShape
const own = forceParameter.refine((field) => field.type !== 'nested', 'Give one field, not a group.')
const schema: Schema<ForceSchedulerOptions, Checked> = z
  .strictObject({
    name,
    builders,
    properties,
    ...(Object.fromEntries(OWN.map((key) => [key, own.default(DEFAULTS[key])])) as Record<
      (typeof OWN)[number],
      z.ZodDefault<typeof own>
    >),
    parameters: forceParameters.default({}),
  })
  .superRefine(({ parameters, ...options }, issues) => {
    const tell = (path: readonly string[], message: string) =>
      issues.addIssue({ code: 'custom', path: [...path], message })
    for (const key of Object.keys(parameters))
      if ((OWN as readonly string[]).includes(key)) tell(['parameters', key], `"${key}" is an option of its own.`)
    for (const problem of badDefaults(parameters)) tell(['parameters'], problem)
    for (const problem of badDefaults(Object.fromEntries(OWN.map((key) => [key, options[key]])))) tell([], problem)
    const { priority } = options
    if (!['int', 'fixed'].includes(priority.type)) tell(['priority'], 'Give a field of type int or fixed.')
  })
  .transform(({ name, builders, properties, parameters, ...fields }) => ({
    name,
    builders,
    ...(properties && { properties }),
    own: fields,
    parameters,
  }))

/** Defaults that their own field would refuse. */
function badDefaults(parameters: ForceParameters): readonly string[] {
  const fields = namedFields(parameters).filter(({ type }) => type !== 'nested' && type !== 'fixed')
  const given = fields.flatMap((field) =>
    'default' in field && field.default !== undefined && field.default !== ''
      ? [[field.name, field.default as Json]]
      : [],
  )
  return checkForm(
    fields.map((field) => ({ ...field, required: false })),
    Object.fromEntries(given),
    'jane',
  ).problems.map((problem) => `The default of ${problem}.`)
}

/**
 * Builds when a person asks, with a form of typed fields: on the command line, in chat and on the page.
 *
 * @example
 * forceScheduler({ name: 'release', builders: [tarball], branch: { type: 'choice', choices: ['main', 'stable'] },
 *   parameters: { version: { type: 'string', required: true, pattern: '\\d+\\.\\d+' }, upload: { type: 'bool' } } })
 */
export const forceScheduler = definePlugin({
  name: 'force',
  kind: 'scheduler',
  needs: ['schedulers'],
  schema,
  id: ({ name }) => name,
  apply(host, { own, parameters, ...options }) {
    const { name, builders, properties } = options
    host.registerScheduler({
      name,
      builders,
      form: [...namedFields(own), ...namedFields(parameters)],
      initial: null,
      wants: () => false,
      decide(input) {
        if (input.kind !== 'force') return { state: null }
        const { reason, branch, revision, repository, project, priority, ...asked } = input.values
        const buildset = {
          ...buildsetOf(options),
          reason: textOf(reason) || `forced by ${input.who}`,
          builders: input.builders.length > 0 ? input.builders : builders,
          sourceStamp: {
            branch: textOf(branch) || null,
            revision: textOf(revision) || null,
            repository: textOf(repository),
            project: textOf(project),
          },
          properties: { ...properties, ...asked },
          priority: typeof priority === 'number' ? priority : 0,
          owner: input.who,
        }
        return { state: null, buildsets: [buildset] }
      },
    })
  },
})

const textOf = (value: Json | undefined) => (typeof value === 'string' ? value : '')
