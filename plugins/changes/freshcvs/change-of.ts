import type { ChangeInput } from 'boltbot/plugin-sdk'
import { itemsOf, textOf } from '../../../wire/pb/plain.ts'
import { Copy, type Value } from '../../../wire/pb/values.ts'
import { stripped } from '../prefix.ts'
import type { FreshCvs } from './options.ts'

/** Of these files are told of; other things in the list are passed over. */
export const isCvsToys = (type: string): boolean => type.startsWith('cvstoys.')

/** The arguments of `notify(root, files, message, user)` as a change; `null` when no file of it counts. */
export function changeOf(
  [, files, message, user]: readonly Value[],
  options: FreshCvs,
  now: number,
): ChangeInput | null {
  const { prefix, branch, category, project, codebase, repository } = options
  const inside = stripped(itemsOf(files).flatMap(pathOf), prefix)
  if (inside.length === 0) return null
  return {
    who: textOf(user)?.trim() || 'unknown',
    files: inside,
    // Some daemons send lines.
    comments: (textOf(message) ?? itemsOf(message).map(textOf).join('\n')).trimEnd().slice(0, MAX_COMMENTS),
    branch: branch ?? null,
    when: now,
    ...(repository !== undefined && { repository }),
    ...(category !== undefined && { category }),
    ...(project !== undefined && { project }),
    ...(codebase !== undefined && { codebase }),
  }
}

const MAX_COMMENTS = 500_000

function pathOf(file: Value): readonly string[] {
  if (!(file instanceof Copy)) return []
  const [folder, name] = [textOf(file.state.get('pathname')), textOf(file.state.get('filename'))]
  if (name === undefined) return []
  return [folder ? `${folder.replace(/\/+$/, '')}/${name}` : name]
}
