/** What a rig of the test kit has in place of the world outside. */
export interface Stage {
  /**
   * Takes a mail that would have gone to a server, as `rig.mails`. Called at once, with the promise of what is still being composed, so
   * that the rig knows of it. Resolves when it is there; rejects as the promise does.
   */
  mail(mail: Promise<StagedMail>): Promise<void>
  /** Connects to an IRC network, where `rig.irc` listens and speaks. Every password is right. */
  irc(network: string, events: StagedIrcEvents): StagedIrcLink
}

/** A mail as a server gets it. */
export interface StagedMail {
  /** All of it: headers, a blank line, the body. */
  readonly source: string | Uint8Array
  /** The envelope's sender. */
  readonly from: string
  /** The envelope's recipients. */
  readonly to: readonly string[]
}

/** What an IRC network of a rig does. Called in order, never within a call of the link. */
export interface StagedIrcEvents {
  /** A line came, without its end. */
  line(text: string): void
  /** The connection ended; nothing comes any more. */
  closed(): void
}

/** The way to an IRC network of a rig. */
export interface StagedIrcLink {
  /** Sends a line, without its end. */
  write(line: string): void
  /** Ends the connection. Any number of times. */
  close(): void
}
