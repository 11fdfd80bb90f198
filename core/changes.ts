import { type ChangeInput, isJson, type Submitted } from 'boltbot/plugin-sdk'
import { changeInvalid } from './errors.ts'
import { acceptChange } from './store/changes.ts'
import type { Store } from './store/store.ts'

/** Stage 2 of the walk: a change source hands in a change; validated, refined and stored, or rejected with a reason. */
export interface Changes {
  /** Resolves when the change is stored. Changes of one source are stored in the order of the calls. @throws CiError when it is malformed or a plugin rejected it. */
  submit(input: ChangeInput, source: string): Promise<Submitted>
}

export interface ChangesDeps {
  readonly store: Store
  readonly refine: (event: ChangeInput & { readonly source: string }) => Promise<ChangeInput>
}

const MAX_FILES = 100_000
const MAX_TEXT = 1_000_000

export function createChanges({ store, refine }: ChangesDeps): Changes {
  /** By source: resolves when all that it handed in so far is on its way into the store, or refused. */
  const turns = new Map<string, Promise<unknown>>()

  return {
    async submit(input, source) {
      const before = turns.get(source)
      const mine = Promise.withResolvers<void>()
      const turn = Promise.all([before, mine.promise]).then(() => {
        if (turns.get(source) === turn) turns.delete(source)
      })
      turns.set(source, turn)
      try {
        check(input, source)
        const { source: _, ...refined } = { source, ...(await refine({ ...input, source })) }
        check(refined, source)
        await before // taps may take their time with one and none with the next
        const stored = acceptChange(store, refined, source)
        mine.resolve()
        return await stored
      } finally {
        mine.resolve()
      }
    },
  }
}

function check(input: ChangeInput, source: string): void {
  const problems: string[] = []
  const text = (name: string, value: unknown, optional: boolean) => {
    if (optional && (value === undefined || value === null)) return
    if (typeof value !== 'string') problems.push(`${name} must be text, not ${kindOf(value)}`)
    else if (value.length > MAX_TEXT) problems.push(`${name} is longer than ${MAX_TEXT} characters`)
    else if (value.includes('\0')) problems.push(`${name} holds a NUL character`)
  }
  text('who', input.who, false)
  text('comments', input.comments, false)
  if (!Array.isArray(input.files)) problems.push(`files must be a list, not ${kindOf(input.files)}`)
  else if (input.files.length > MAX_FILES) problems.push(`files has more than ${MAX_FILES} entries`)
  else for (const file of input.files) text('a file name', file, false)
  for (const name of [
    'branch',
    'revision',
    'repository',
    'project',
    'codebase',
    'category',
    'revlink',
    'key',
  ] as const) {
    text(name, input[name], true)
  }
  if (
    input.links !== undefined &&
    !(Array.isArray(input.links) && input.links.every((link) => typeof link === 'string'))
  ) {
    problems.push('links must be a list of text')
  }
  if (input.properties !== undefined && !(isJson(input.properties) && isPlain(input.properties))) {
    problems.push('properties must be an object of JSON data')
  }
  if (input.when !== undefined && !Number.isFinite(input.when)) problems.push('when must be a time in milliseconds')
  if (problems.length > 0) throw changeInvalid(source, problems)
}

const kindOf = (value: unknown) => (value === null ? 'null' : Array.isArray(value) ? 'a list' : typeof value)
const isPlain = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value)
