/** What a decoder takes before it gives up on the other end. */
export interface BananaLimits {
  /** Bytes of one string. */
  readonly string: number
  /** Items of one list. */
  readonly list: number
  /** Lists within one another. */
  readonly depth: number
  /** Bytes of one element at the top. */
  readonly message: number
  /** Elements within one element at the top. */
  readonly elements: number
}

/** Before a login: enough for a name, a challenge and its answer. */
export const STRANGER: BananaLimits = { string: 4096, list: 64, depth: 16, message: 16 * 1024, elements: 512 }

/** After a login. The real programs send strings of at most 640 KiB; ours may send larger patches to one another. */
export const FRIEND: BananaLimits = {
  string: 64 * 1024 * 1024,
  list: 655_360,
  depth: 64,
  message: 96 * 1024 * 1024,
  elements: 655_360,
}

/** Bytes of the longest string that the real programs take. */
export const SENDABLE = 640 * 1024
