import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** One connection of the real programs, as it was recorded. */
export interface Capture {
  readonly name: string
  readonly reads: readonly { readonly dir: 'c2s' | 's2c'; readonly bytes: Buffer }[]
}

const FOLDER = join(import.meta.dirname, '../../fixtures/captures')

/** All captures of Perspective Broker. */
export const pbCaptures = (): readonly Capture[] =>
  readdirSync(FOLDER)
    .filter((file) => file.endsWith('.jsonl') && !file.startsWith('msgpack'))
    .sort()
    .map((file) => readCapture(file.replace('.jsonl', '')))

export function readCapture(name: string): Capture {
  const lines = readFileSync(join(FOLDER, `${name}.jsonl`), 'utf8')
    .trim()
    .split('\n')
  const reads = lines.map((line) => {
    const { dir, hex } = JSON.parse(line)
    return { dir, bytes: Buffer.from(hex, 'hex') }
  })
  return { name, reads }
}

export const bytesOf = ({ reads }: Capture, dir: 'c2s' | 's2c'): Buffer =>
  Buffer.concat(reads.filter((read) => read.dir === dir).map(({ bytes }) => bytes))
