import { messageOf, type SlaveDoor } from 'boltbot/plugin-sdk'
import { createScriptedSlave, type FakeClock, type ScriptedAnswer } from 'boltbot/plugin-sdk/testing'
import type { Chance } from './chance.ts'

/** A slave that comes back by itself, as agents do, unless it is switched off. */
export interface SimSlave {
  readonly name: string
  readonly muted: boolean
  readonly linked: boolean
  /** Commands it still has. */
  readonly held: number
  connect(): void
  drop(): void
  /** Its process dies, with all commands. */
  crash(): void
  mute(muted: boolean): void
  /** Does not come back by itself while it is off. */
  switchOff(off: boolean): void
}

export interface SimSlaveDeps {
  readonly name: string
  readonly resumable: boolean
  readonly answers: readonly ScriptedAnswer[]
  readonly clock: FakeClock
  readonly chance: Chance
  readonly door: () => SlaveDoor | undefined
  readonly touched: () => void
  readonly note: (line: string) => void
}

export function createSimSlave(deps: SimSlaveDeps): SimSlave {
  const { name, resumable, answers, clock, chance, touched, note } = deps
  const slave = createScriptedSlave({ name, answers, clock, info: { resumable } })
  let link: object | undefined
  let off = false
  let refused = false
  let muted = false
  let timer: Disposable | undefined

  function again(): void {
    timer?.[Symbol.dispose]()
    // Refused, it does not ask again so soon.
    if (!off) timer = clock.timer(refused ? chance.between(20_000, 40_000) : chance.between(100, 8000), connect)
    refused = false
  }

  function connect(): void {
    timer?.[Symbol.dispose]()
    if (link !== undefined || off) return
    touched()
    const door = deps.door()
    if (door === undefined) {
      again()
      return
    }
    const connection = slave.connect()
    link = connection
    connection.closed.then((reason) => {
      touched()
      if (link === connection) link = undefined
      note(`slave ${name} lost its link: ${reason}`)
      again()
    })
    door.attach(connection).then(touched, (error: unknown) => {
      touched()
      refused = true
      connection.close(messageOf(error))
    })
  }

  return {
    name,
    get muted() {
      return muted
    },
    get linked() {
      return link !== undefined
    },
    get held() {
      return slave.held.length
    },
    connect,
    drop: () => slave.drop('its link was cut'),
    crash: () => slave.crash(),
    mute(value) {
      muted = value
      slave.mute(value)
    },
    switchOff(value) {
      off = value
      if (off) slave.drop('it was switched off')
      else connect()
    },
  }
}
