import { join } from 'node:path'
import type { CiError, Clock, Log, Secrets } from 'boltbot/plugin-sdk'
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
import { placeOf } from '../store/postgres/place.ts'
import type { Store } from '../store/store.ts'

export interface BootContext {
  readonly config: Config
  readonly basedir: string
  readonly clock: Clock
  readonly log: Log
  readonly redactor: Redactor
  /** The store takes nothing any more until it is opened anew. */
  readonly broken: (error: CiError) => void
  readonly program: ProgramActs
  /** Copies of configs that builds began with. */
  readonly configs: KeptConfigs
}

/** The real master over the files of its base directory. */
export async function openMaster(context: BootContext): Promise<Master> {
  const { config, basedir, clock, log, redactor, program, configs } = context
  const { logs } = layout(basedir)
  const secrets = createSecrets({
    directory: join(basedir, 'secrets'),
    environment: process.env,
    redactor,
    checkModes: process.platform !== 'win32',
  })
  await using opening = new AsyncDisposableStack()
  const store = opening.adopt(await openStore(context, secrets), (opened) => opened.close())
  const logStore = opening.adopt(createFileLogStore({ directory: logs, clock, log }), (opened) => opened.close())
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
    hide: redactor.add,
    configs,
  })
  opening.move() // the master closes both when it stops
  return master
}

/** The database driver is loaded by those who use it. */
async function openStore({ config, basedir, clock, log, broken }: BootContext, secrets: Secrets): Promise<Store> {
  if (config.store === null) return openSqliteStore({ file: layout(basedir).database, clock, log, broken })
  const { openPostgresStore } = await import('../store/postgres/open.ts')
  return openPostgresStore({ place: placeOf(config.store, secrets), clock, log })
}
