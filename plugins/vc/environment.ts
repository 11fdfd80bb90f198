import { env } from 'node:process'

/**
 * The master's environment for a version control program, without its own variables that would lead it astray (as those a hook has
 * set), with what makes it speak plainly and ask nothing.
 */
export function programEnvironment(
  drop: RegExp,
  keep: RegExp,
  set: Readonly<Record<string, string>>,
): Record<string, string> {
  const kept = Object.entries(env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && (!drop.test(entry[0]) || keep.test(entry[0])),
  )
  return { ...Object.fromEntries(kept), LC_ALL: 'C.UTF-8', ...set }
}
