import type { Patch } from './model.ts'

/** A patch of these bytes: as text when they are UTF-8, else in base64. @example patchOf({ level: 1, subdir: '', bytes }) */
export function patchOf({ bytes, ...where }: { bytes: Uint8Array } & Pick<Patch, 'level' | 'subdir'>): Patch {
  try {
    return { ...where, body: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) }
  } catch {
    return { ...where, body: Buffer.from(bytes).toString('base64'), encoding: 'base64' }
  }
}

/**
 * The bytes to be applied.
 * @example await writeFile('a.patch', patchBytes(patch))
 */
export function patchBytes({ body, encoding = 'utf8' }: Pick<Patch, 'body' | 'encoding'>): Uint8Array {
  return Buffer.from(body, encoding)
}
