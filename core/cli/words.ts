import { readFileSync } from 'node:fs'
import { badArgument } from './errors.ts'

/**
 * Words of the command line in another encoding than UTF-8. Node has read them as UTF-8 by then; where the system tells the bytes
 * they came as, those are read anew.
 * @throws CiError `BOLT_CLI_ARGUMENT` for an unknown encoding.
 */
export function createWordDecoder(encoding: string): (word: string) => string {
  const decoder = decoderOf(encoding)
  if (decoder.encoding === 'utf-8') return (word) => word
  const known = new Map<string, string>()
  for (const bytes of rawWords()) {
    const [name = '', value = ''] = cut(bytes)
    for (const part of [bytes, name, value])
      if (part.length > 0) known.set(Buffer.from(part).toString(), decoder.decode(part as Buffer))
  }
  return (word) => known.get(word) ?? word
}

function decoderOf(encoding: string): TextDecoder {
  try {
    return new TextDecoder(encoding)
  } catch {
    throw badArgument('--encoding', encoding, 'the name of an encoding, as utf8 or latin1')
  }
}

function rawWords(): readonly Buffer[] {
  try {
    const line = readFileSync('/proc/self/cmdline')
    const words: Buffer[] = []
    for (let at = 0; at < line.length; ) {
      const end = line.indexOf(0, at)
      words.push(line.subarray(at, end === -1 ? line.length : end))
      at = end === -1 ? line.length : end + 1
    }
    return words
  } catch {
    return [] // a system that does not tell
  }
}

/** `--who=…` in its two parts. */
function cut(bytes: Buffer): readonly [Buffer, Buffer] | readonly [] {
  const at = bytes.indexOf('=')
  return at === -1 ? [] : [bytes.subarray(0, at), bytes.subarray(at + 1)]
}
