/** The end of a link as the protocol sees it: whole binary messages, in order. Neither call throws; both do nothing once it is closed. */
export interface Socket {
  send(bytes: Uint8Array): void
  /** Closes the link after what was sent. */
  close(code: number, reason: string): void
}

/** Time and timers as the protocol needs them, in milliseconds. */
export interface LinkClock {
  now(): number
  timer(ms: number, fire: () => void): Disposable
}

/** WebSocket close codes. */
export const CLOSE = { normal: 1000, protocol: 1002, policy: 1008, lost: 4000 } as const
