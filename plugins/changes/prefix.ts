import { z } from 'zod'

/** A folder of the repository whose files count: `hello` and `hello/` are the same. After the check it ends with a slash, or is empty. */
export const prefixField = z
  .string("Give a folder, as in 'hello/'.")
  .default('')
  .transform((prefix) => prefix.replace(/^(?:\.?\/)+|\/+$/g, ''))
  .transform((prefix) => (prefix === '' ? '' : `${prefix}/`))

/** Each file once, without the prefix; those outside of it are left out. */
export function stripped(files: readonly string[], prefix: string): readonly string[] {
  const inside = files.flatMap((file) => {
    if (typeof file !== 'string') return [file] // of a parser in plain JavaScript: the master says what is wrong with it
    const path = file.replace(/^(?:\.?\/)+/, '')
    return path.startsWith(prefix) && path.length > prefix.length ? [path.slice(prefix.length)] : []
  })
  return [...new Set(inside)]
}
