import type { Call } from './command.ts'

/** Who asks, for an order. */
export const personOf = ({ asker: { who, proofs } }: Call) => ({ who, ...(proofs && { proofs }) })

/** Why: as they said, or where they asked. */
export const reasonOf = (words: readonly string[], { speaker, place }: Call) =>
  words.join(' ') || `${speaker.name} asked for it in ${place.id}`
