import { join } from 'node:path'
import type { Clock, Log } from 'boltbot/plugin-sdk'
import { LOG_FILE } from '../agent-directory.ts'
import { endAgent, runningAgent, startAgent } from '../agent-process.ts'

/**
 * Sees to it that the agent of one slave runs: takes over one that an earlier master started, starts one otherwise, and again, with
 * growing pauses, whenever it is gone.
 */
export interface Keeper {
  start(): Promise<void>
  /** Starts it no more; `end` ends it too. */
  stop(end: boolean): Promise<void>
}

export interface KeeperDeps {
  readonly slave: string
  readonly basedir: string
  readonly clock: Clock
  readonly log: Log
}

const WATCH_MS = 2000
const FIRST_DELAY_MS = 500
const MAX_DELAY_MS = 60_000
/** An agent that lived for so long started well: the pauses begin small again. */
const GOOD_LIFE_MS = 30_000

export function createKeeper({ slave, basedir, clock, log }: KeeperDeps): Keeper {
  let stopped = false
  let failures = 0
  let timer: Disposable | undefined
  function run(): void {
    const begin = clock.now()
    const agent = startAgent(basedir)
    log.info('local slave started', { slave, pid: agent.pid })
    void agent.gone.then((how) => {
      if (stopped) return
      log.warn('local slave ended', { slave, how, log: join(basedir, LOG_FILE) })
      failures = clock.now() - begin >= GOOD_LIFE_MS ? 0 : failures + 1
      timer = clock.timer(Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(failures, 20)), () => void again())
    })
  }

  async function again(): Promise<void> {
    if (stopped) return
    const pid = await runningAgent(basedir)
    if (stopped) return
    if (pid === undefined) run()
    else watch() // not our child: its end must be looked for
  }

  function watch(): void {
    timer = clock.timer(WATCH_MS, () => void again())
  }

  return {
    async start() {
      const pid = await runningAgent(basedir)
      if (pid === undefined) return run()
      log.info('local slave runs already', { slave, pid })
      watch()
    },
    async stop(end) {
      stopped = true
      timer?.[Symbol.dispose]()
      if (end) await endAgent(basedir, clock)
    },
  }
}
