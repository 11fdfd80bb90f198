import type { ChangeInput } from 'boltbot/plugin-sdk'
import { createTestHost, until } from 'boltbot/plugin-sdk/testing'
import { pbChangeSource } from 'boltbot/plugins/changes/pb'
import { createClock } from '../../../core/clock.ts'
import { reservePort } from '../../e2e/rig/ports.ts'

/** A master's door for changes, on one port, that can be away and come back. */
export interface ChangeListener extends AsyncDisposable {
  readonly address: string
  /** Everything it was sent, in order, over all its lives. */
  readonly changes: readonly ChangeInput[]
  /** Waits for so many, and gives them. */
  wait(count: number): Promise<readonly ChangeInput[]>
  goAway(): Promise<void>
  comeBack(): Promise<void>
  /** Each change is asked about first; an error is the master's answer. */
  refuse(why: (change: ChangeInput) => Error | undefined): void
}

export const PASSWORD = 'open sesame'

export async function createChangeListener(): Promise<ChangeListener> {
  const port = await reservePort()
  const changes: ChangeInput[] = []
  let refusal: (change: ChangeInput) => Error | undefined = () => undefined
  let host: AsyncDisposable | undefined
  const self: ChangeListener = {
    address: `127.0.0.1:${port}`,
    changes,
    async wait(count) {
      await until(() => changes.length >= count || undefined, {
        what: `${count} changes`,
        deadline: 60_000,
        seen: () => `${changes.length}: ${JSON.stringify(changes.slice(-5))}`,
      })
      return changes
    },
    async goAway() {
      await host?.[Symbol.asyncDispose]()
      host = undefined
    },
    async comeBack() {
      const { log } = createTestHost()
      const clock = createClock(log)
      const submitChange = async (change: ChangeInput) => {
        const error = refusal(change)
        if (error !== undefined) throw error
        changes.push(change)
        return { change: { id: changes.length }, duplicate: false } as never // nobody looks at the rest
      }
      const live = createTestHost({ override: { clock, submitChange }, log })
      host = live
      await live.run(pbChangeSource({ user: 'change', password: PASSWORD, port }))
    },
    refuse(why) {
      refusal = why
    },
    [Symbol.asyncDispose]: () => self.goAway(),
  }
  await self.comeBack()
  return self
}
