import type { Clock } from 'boltbot/plugin-sdk'

/** Keeps two bots from answering each other for ever, and one person from keeping the bot busy. */
export interface Patience {
  /** `ignored`: they were told before; `enough`: this is the moment to tell them. */
  judge(speaker: string): 'heard' | 'enough' | 'ignored'
}

const MOST_A_MINUTE = 30
const MINUTE = 60_000
export const IGNORED_MS = 300_000
const MOST_SPEAKERS = 1000

export function createPatience(clock: Clock): Patience {
  const speakers = new Map<string, { times: number[]; until: number }>()
  return {
    judge(speaker) {
      const now = clock.now()
      const known = speakers.get(speaker) ?? { times: [], until: 0 }
      speakers.delete(speaker)
      speakers.set(speaker, known)
      const [oldest] = speakers.keys()
      if (speakers.size > MOST_SPEAKERS && oldest !== undefined) speakers.delete(oldest)
      if (known.until > now) return 'ignored'
      known.times = [...known.times.filter((at) => at > now - MINUTE), now]
      if (known.times.length <= MOST_A_MINUTE) return 'heard'
      known.times = []
      known.until = now + IGNORED_MS
      return 'enough'
    },
  }
}
