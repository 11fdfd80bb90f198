/**
 * What Banana carries: numbers, byte strings, and lists of them. Texts may stand for byte strings when encoding (as UTF-8); decoding
 * gives bytes only.
 */
export type Sexp = number | bigint | BananaFloat | Uint8Array | string | readonly Sexp[]

/** A number with a point, told apart from a whole one: `1.0` is not `1` to Python. */
export class BananaFloat {
  readonly value: number

  constructor(value: number) {
    this.value = value
  }
}

/** Type bytes; everything below 0x80 is a digit of the prefix. */
export const TYPE = {
  list: 0x80,
  int: 0x81,
  string: 0x82,
  negative: 0x83,
  float: 0x84,
  longInt: 0x85,
  longNegative: 0x86,
  vocabulary: 0x87,
} as const

/** Digits of 7 bits that a prefix may have. */
export const MAX_PREFIX = 64
