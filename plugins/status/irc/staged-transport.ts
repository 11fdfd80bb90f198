import { EventEmitter } from 'node:events'
import type { Stage, StagedIrcLink } from 'boltbot/plugin-sdk'

/** In a rig: the same lines, over no socket. */
export function createStagedTransport(stage: Stage, network: string): object {
  return class StagedTransport extends EventEmitter {
    private link: StagedIrcLink | undefined

    connect(): void {
      this.link = stage.irc(network, {
        line: (text) => void this.emit('line', text),
        closed: () => void this.emit('close', false),
      })
      queueMicrotask(() => this.emit('open')) // its listeners are set behind this call
    }

    writeLine(line: string, done?: () => void): void {
      this.link?.write(line.replace(/[\r\n\0]/g, ' '))
      if (done !== undefined) queueMicrotask(done)
    }

    close(): void {
      this.link?.close()
    }

    disposeSocket(): void {
      this.link?.close()
    }

    setEncoding(): boolean {
      return true
    }
  }
}
