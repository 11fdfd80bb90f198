import type { Clock, Log } from './clock.ts'
import type { Secrets } from './host.ts'

/** One thing that `boltbot doctor` looked at. */
export interface Finding {
  /** In a few words: `mail server mail.example.org:587`. */
  readonly what: string
  /** `fail`: it does not work. `warn`: it does, but not well, or not for long. */
  readonly verdict: 'ok' | 'warn' | 'fail'
  /** What was seen, a sentence. */
  readonly text: string
  /** What to do. */
  readonly cure?: string
}

/** What a plugin's `doctor` is given: it looks from the master's place, as the master's user, and changes nothing. */
export interface Doctor {
  readonly secrets: Secrets
  readonly clock: Clock
  /** What is wrong belongs into the findings: nobody reads this. */
  readonly log: Log
  /** The master of this base directory runs, so that its ports are taken by itself. */
  readonly isRunning: boolean
  /** Aborts when the time for this plugin is up. */
  readonly signal: AbortSignal
  /** A port the plugin listens at: it answers when the master runs, else it is free. Resolves when it looked. */
  port(what: string, port: number, host: string): Promise<Finding>
  /** A certificate, PEM or DER: how long it is good. */
  certificate(what: string, certificate: string | Uint8Array): Finding
}
