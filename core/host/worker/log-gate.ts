const LINES = 1000
const WINDOW_MS = 1000

/** Lets a thousand lines a second through. Gives how many were dropped since the last that went through; `undefined`: drop this one. */
export function createLogGate(now: () => number): () => number | undefined {
  let since = now()
  let lines = 0
  let dropped = 0
  return () => {
    const time = now()
    if (time - since >= WINDOW_MS) {
      since = time
      lines = 0
    }
    if (++lines > LINES) {
      dropped++
      return undefined
    }
    const missed = dropped
    dropped = 0
    return missed
  }
}
