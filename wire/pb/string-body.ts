/** A string whose bytes come in pieces. Its memory grows with what came, not with what was announced. */
export interface StringBody {
  /** Takes what belongs to it from `at` on; gives how many bytes that were. */
  take(data: Uint8Array, at: number): number
  isWhole(): boolean
  bytes(): Buffer
}

const FIRST = 64 * 1024

export function createStringBody(length: number): StringBody {
  let bytes = Buffer.allocUnsafe(Math.min(length, FIRST))
  let filled = 0
  return {
    take(data, at) {
      const taken = Math.min(data.length - at, length - filled)
      if (filled + taken > bytes.length) {
        const larger = Buffer.allocUnsafe(Math.min(length, Math.max(bytes.length * 2, filled + taken)))
        bytes.copy(larger, 0, 0, filled)
        bytes = larger
      }
      bytes.set(data.subarray(at, at + taken), filled)
      filled += taken
      return taken
    },
    isWhole: () => filled === length,
    bytes: () => bytes,
  }
}
