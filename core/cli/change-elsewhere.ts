import { fromPlain, type Plain } from '../../wire/pb/plain.ts'
import { callDebugPort, type ElsewhereOptions } from './debug-port.ts'
import { badArgument } from './errors.ts'
import { print } from './output.ts'

export interface ChangeElsewhere extends ElsewhereOptions {
  readonly who: string
  readonly file: readonly string[]
  readonly comments: string
  readonly branch?: string
  readonly revision?: string
  readonly repository?: string
  readonly project?: string
  readonly category?: string
  readonly prop?: Readonly<Record<string, Plain>>
}

/** Hands a change to the debug port of a master elsewhere. An old Buildbot takes one of one file, and makes the comments itself. */
export async function changeElsewhere(change: ChangeElsewhere): Promise<void> {
  if ('json' in change) throw badArgument('option', '--json', 'left out for a master elsewhere')
  const { who, file: files, comments, branch = null, revision = null, category = null } = change
  const { repository = '', project = '', prop = {} } = change
  const whole = { who, files, comments, branch, revision, repository, project, category, properties: prop }
  const fake = ['fakeChange', files[0]!, revision, who, branch, repository, project] as const
  const taken = await callDebugPort(change, ['addChange', fromPlain(whole)], ...(files.length === 1 ? [fake] : []))
  // An old Buildbot gives nothing.
  const { change: id, duplicate } = (taken ?? {}) as { readonly change?: number; readonly duplicate?: boolean }
  if (id === undefined) print('The change is handed in.')
  else print(duplicate ? `It was known already: change ${id}.` : `Change ${id}.`)
}
