/** Of a socket: what is written between the two goes out in one write. */
export interface Corkable {
  cork(): void
  uncork(): void
}

/** To be called before each message: those of one go are one write to the system. Each write wakes the other end. */
export function joinWrites(transport: Corkable): () => void {
  let joining = false
  return () => {
    if (joining) return
    joining = true
    transport.cork()
    queueMicrotask(() => {
      joining = false
      transport.uncork()
    })
  }
}
