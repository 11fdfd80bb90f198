import type { Clock } from 'boltbot/plugin-sdk'

/** A line for somebody. */
export interface Line {
  /** `PRIVMSG`, `NOTICE`. */
  readonly command: string
  readonly target: string
  readonly text: string
  /** Whose turn it is: who waits for long answers keeps nobody else waiting; default: the target. */
  readonly turn?: string
  /** So long it waits for a link that is down; default: as long as it is news. */
  readonly keepMs?: number
  /** Told whether it was written, or dropped. */
  readonly done?: (written: boolean) => void
}

/**
 * What goes out to one network: so many lines at once, then one after each pause; answers before news, and those to several people in turn. News that wait longer are put
 * together on fewer lines. What got too old during an outage is dropped, and one line says how much.
 */
export interface Outgoing {
  answer(line: Line): void
  news(line: Line): void
  /** The link is up (`write` sends a line) or down (`null`). */
  attach(write: ((line: Line) => void) | null): void
  readonly waiting: number
}

export interface OutgoingDeps {
  readonly clock: Clock
  readonly burst: number
  readonly everyMs: number
  /** Puts a text into lines that the network takes. */
  readonly split: (line: Line) => readonly string[]
}

interface Waiting extends Line {
  readonly at: number
}

/** What is older is no news any more. */
const STALE_MS = 300_000
const MOST_ANSWERS = 300
const MOST_NEWS = 1000
/** News of one target on a line when more wait than this. */
const COALESCE_FROM = 3

export function createOutgoing({ clock, burst, everyMs, split }: OutgoingDeps): Outgoing & Disposable {
  const answers: Waiting[] = []
  const news: Waiting[] = []
  /** Lines of an entry that was begun. */
  const begun: Line[] = []
  /** When each was last answered, counted in answers. */
  const turns = new Map<string, number>()
  const dropped = new Map<string, { command: string; count: number; since: number }>()
  let write: ((line: Line) => void) | null = null
  let tokens = burst
  let filledAt = clock.now()
  let timer: Disposable | undefined

  function drop(line: Waiting): void {
    if (line.done) {
      line.done(false)
      return
    }
    const known = dropped.get(line.target) ?? { command: line.command, count: 0, since: line.at }
    known.count++
    dropped.set(line.target, known)
  }

  function dropStale(): void {
    const fresh = (line: Waiting) => clock.now() - line.at < (line.keepMs ?? STALE_MS)
    for (const lane of [news, answers]) {
      const kept = lane.filter(fresh)
      for (const line of lane) if (!fresh(line)) drop(line)
      lane.splice(0, lane.length, ...kept)
    }
  }

  /** One line for each place that missed something, before everything else. */
  function tellDropped(): void {
    for (const [target, { command, count, since }] of dropped) {
      const minutes = Math.max(1, Math.round((clock.now() - since) / 60_000))
      const text = `I was away: ${count} message${count === 1 ? '' : 's'} of the last ${minutes} min ${count === 1 ? 'was' : 'were'} not told here. "status all" says how things are.`
      begun.push({ command, target, text })
    }
    dropped.clear()
  }

  function next(): Line | undefined {
    if (begun.length === 0) {
      const entry = nextAnswer() ?? nextNews()
      if (entry) {
        const { command, target, done } = entry
        const texts = split(entry)
        texts.forEach((text, i) => {
          begun.push({ command, target, text, ...(done && i === texts.length - 1 && { done }) })
        })
      }
    }
    return begun.shift()
  }

  /** To whom nothing was said for longest. */
  function nextAnswer(): Line | undefined {
    const turnOf = ({ turn, target }: Line) => turn ?? target
    const [first] = answers
    if (first === undefined) {
      turns.clear()
      return undefined
    }
    const since = (line: Line) => turns.get(turnOf(line)) ?? 0
    const next = answers.reduce((best, line) => (since(line) < since(best) ? line : best), first)
    turns.set(turnOf(next), Math.max(0, ...turns.values()) + 1)
    answers.splice(answers.indexOf(next), 1)
    return next
  }

  function nextNews(): Line | undefined {
    const first = news.shift()
    if (first === undefined) return undefined
    const same = news.filter((line) => line.target === first.target)
    if (same.length < COALESCE_FROM) return first
    let { text } = first
    for (const line of same) {
      if (split({ ...first, text: `${text} | ${line.text}` }).length > 1) break
      text = `${text} | ${line.text}`
      news.splice(news.indexOf(line), 1)
    }
    return { ...first, text }
  }

  function pump(): void {
    if (write === null) return
    const now = clock.now()
    const gained = Math.floor((now - filledAt) / everyMs)
    if (gained > 0) {
      tokens = Math.min(burst, tokens + gained)
      filledAt += gained * everyMs
    }
    if (tokens === burst) filledAt = now
    while (tokens > 0 && write !== null) {
      const line = next()
      if (line === undefined) return
      tokens--
      write(line)
      line.done?.(true)
    }
    timer ??= clock.timer(Math.max(1, filledAt + everyMs - now), () => {
      timer = undefined
      pump()
    })
  }

  const put = (lane: Waiting[], most: number, line: Line) => {
    lane.push({ ...line, at: clock.now() })
    if (lane.length > most) drop(lane.shift()!)
    pump()
  }

  return {
    answer: (line) => put(answers, MOST_ANSWERS, line),
    news: (line) => put(news, MOST_NEWS, line),
    attach(given) {
      write = given
      if (given === null) {
        for (const { done } of begun) done?.(false)
        begun.length = 0 // the rest of a message whose beginning is gone
        return
      }
      tokens = burst
      filledAt = clock.now()
      dropStale()
      tellDropped()
      pump()
    },
    get waiting() {
      return begun.length + answers.length + news.length
    },
    [Symbol.dispose]() {
      write = null
      timer?.[Symbol.dispose]()
      for (const { done } of [...begun, ...answers, ...news]) done?.(false)
    },
  }
}
