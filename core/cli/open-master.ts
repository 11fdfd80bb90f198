import { join } from 'node:path'
import type { Clock, Log } from 'boltbot/plugin-sdk'
import type { ProgramActs } from '../chat/command.ts'
import { random } from '../clock.ts'
import type { KeptConfigs } from '../config/kept.ts'
import type { Config } from '../config/model.ts'
import { createMaster } from '../master.ts'
import type { Master } from '../master-api.ts'
import { layout } from '../master-deps.ts'
import type { Redactor } from '../redact.ts'
import { createSecrets } from '../secrets.ts'
import { createFileLogStore } from '../store/logs/file-log-store.ts'
import { openSqliteStore } from '../store/open.ts'

export interface BootContext {
  readonly config: Config
  readonly basedir: string
  readonly clock: Clock
  readonly log: Log
  readonly redactor: Redactor
  readonly program: ProgramActs
  /** Copies of configs that builds began with. */
  readonly configs: KeptConfigs
}

/** The real master over the files of its base directory. */
export async function openMaster(context: BootContext): Promise<Master> {
  const { config, basedir, clock, log, redactor, program, configs } = context
  const { database, logs } = layout(basedir)
  const secrets = createSecrets({
    directory: join(basedir, 'secrets'),
    environment: process.env,
    redactor,
    checkModes: process.platform !== 'win32',
  })
  await using opening = new AsyncDisposableStack()
  const store = opening.adopt(await openSqliteStore({ file: database, clock, log }), (opened) => opened.close())
  const logStore = opening.adopt(createFileLogStore({ directory: logs, log }), (opened) => opened.close())
  const master = await createMaster({
    config,
    basedir,
    clock,
    random,
    log,
    store,
    logStore,
    secrets,
    redactor: redactor.stream,
    program,
    redact: redactor.text,
    configs,
  })
  opening.move() // the master closes both when it stops
  return master
}
