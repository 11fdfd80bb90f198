import { ProtocolError } from '../protocol-error.ts'

/**
 * Walks over one MessagePack value without making any of it, and throws unless it is whole, ends where `bytes` end, is nested at
 * most `maxDepth` deep and has no extension types. The decoder itself would follow a nesting of any depth.
 * @throws ProtocolError
 */
export function scan(bytes: Uint8Array, maxDepth: number): void {
  const left: number[] = [] // items still to come, per open list or map
  let at = 0
  const uint = (length: number): number => {
    if (at + length > bytes.length) throw truncated()
    let value = 0
    for (let end = at + length; at < end; at++) value = value * 256 + bytes[at]!
    return value
  }
  // Not `at += uint(…)`: that takes `at` as it was before the length was read.
  const skip = (length: number): void => {
    at += length
  }
  const open = (items: number): void => {
    if (items === 0) return
    if (items > bytes.length - at) throw truncated() // each item takes a byte at least
    if (left.length >= maxDepth) throw new ProtocolError(`The message is nested more than ${maxDepth} deep.`)
    left.push(items + 1) // and this value itself, which the loop counts off
  }
  do {
    if (at >= bytes.length) throw truncated()
    const head = bytes[at++]!
    const size = FIXED_SIZE[head]!
    if (size >= 0) at += size
    else if (head <= 0x8f) open((head & 0x0f) * 2)
    else if (head <= 0x9f) open(head & 0x0f)
    else if (head <= 0xbf) at += head & 0x1f
    else if (head >= 0xc4 && head <= 0xc6) skip(uint(1 << (head - 0xc4)))
    else if (head >= 0xd9 && head <= 0xdb) skip(uint(1 << (head - 0xd9)))
    else if (head === 0xdc || head === 0xdd) open(uint(head === 0xdc ? 2 : 4))
    else if (head === 0xde || head === 0xdf) open(uint(head === 0xde ? 2 : 4) * 2)
    else throw new ProtocolError(`The message has a value of the unsupported type 0x${head.toString(16)}.`)
    if (at > bytes.length) throw truncated()
    while (left.length > 0 && --left[left.length - 1]! === 0) left.pop()
  } while (left.length > 0)
  if (at !== bytes.length) throw new ProtocolError('The message has bytes after its end.')
}

/** Bytes after the head byte for values of fixed size; -1 for all others. */
const FIXED_SIZE: Int8Array = (() => {
  const sizes = new Int8Array(256).fill(-1)
  sizes.fill(0, 0x00, 0x80) // small numbers
  sizes.fill(0, 0xe0) // small negative numbers
  for (const head of [0xc0, 0xc2, 0xc3]) sizes[head] = 0 // nil, false, true
  for (const [head, size] of [
    [0xca, 4],
    [0xcb, 8],
    [0xcc, 1],
    [0xcd, 2],
    [0xce, 4],
    [0xcf, 8],
  ] as const)
    sizes[head] = size
  for (const [head, size] of [
    [0xd0, 1],
    [0xd1, 2],
    [0xd2, 4],
    [0xd3, 8],
  ] as const)
    sizes[head] = size
  return sizes
})()

const truncated = () => new ProtocolError('The message ends too early.')
