import type { ChangeInput } from 'boltbot/plugin-sdk'
import { itemsOf, textOf } from '../../../wire/pb/plain.ts'
import { Copy, type Value } from '../../../wire/pb/values.ts'
import { stripped } from '../prefix.ts'
import type { FreshCvs } from './options.ts'

/** The arguments of `notify(root, files, message, user)` as a change; `null` when no file is in the prefix, or none is named at all. */
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

/** Its class does not matter (a file is a `VersionedPatch`, a new folder a `Directory`); what else may be in the list names no file. */
function pathOf(file: Value): readonly string[] {
  if (!(file instanceof Copy)) return []
  const [folder, name] = [textOf(file.state.get('pathname')), textOf(file.state.get('filename'))]
  if (name === undefined) return []
  return [folder ? `${folder.replace(/\/+$/, '')}/${name}` : name]
}
