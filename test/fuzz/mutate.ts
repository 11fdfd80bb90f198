/** Chance that can be told again: `seed` gives the same numbers each time. */
export function createChance(seed: number): () => number {
  let state = Math.imul(seed + 1, 0x9e3779b1) >>> 0 || 1 // neighbours are far apart
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
}

/** Bytes that decide much: types, words of the vocabulary, ends of ranges. */
const TELLING = [0, 1, 2, 7, 0x1f, 0x20, 0x40, 0x7f, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0xff]

/** Some bytes of `from`, changed in a few places: flipped, telling, doubled, cut out, or pasted from `other`. */
export function mutate(from: Buffer, other: Buffer, chance: () => number): Buffer {
  const upTo = (most: number) => Math.floor(chance() * most)
  const start = upTo(Math.max(1, from.length - 1))
  let bytes = Buffer.from(from.subarray(chance() < 0.5 ? 0 : start, start + 1 + upTo(200)))
  for (let changes = upTo(4); changes > 0; changes--) {
    const at = upTo(bytes.length)
    const kind = upTo(5)
    if (bytes.length === 0) break
    if (kind === 0) bytes[at]! ^= 1 << upTo(8)
    else if (kind === 1) bytes[at] = TELLING[upTo(TELLING.length)]!
    else if (kind === 2) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(upTo(at + 1))])
    else if (kind === 3) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + upTo(8))])
    else {
      const cut = upTo(other.length)
      bytes = Buffer.concat([bytes.subarray(0, at), other.subarray(cut, cut + upTo(40)), bytes.subarray(at)])
    }
  }
  return bytes
}
