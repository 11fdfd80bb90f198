import { CiError, formatDuration, listNames } from 'boltbot/plugin-sdk'

/** Diagnostics of plugins in threads of their own. */

export const notInWorker = (plugin: string, member: string) =>
  new CiError({
    code: 'BOLT_HOST_NOT_IN_WORKER',
    message: `Plugin "${plugin}" uses host.${member}, which there is not in a worker.`,
    details: { plugin, member },
    hint: "Run it in the master's process: take isolation: 'worker' out of its options in the config.",
  })

export const notExported = (plugin: string, name: string, file: string) =>
  new CiError({
    code: 'BOLT_HOST_WORKER_EXPORT',
    message: `Plugin "${plugin}" cannot run in a worker: "${file}" defines ${name}, but does not export it.`,
    details: { plugin, name, file },
    hint: 'A worker imports the file that calls definePlugin: export what that gives.',
  })

export const codeChanged = (plugin: string, file: string) =>
  new CiError({
    code: 'BOLT_HOST_WORKER_CODE',
    message: `Plugin "${plugin}" cannot be started again in its worker: its code in "${file}" is not what it was when the config was read.`,
    details: { plugin, file },
    hint: 'Take the new code with "boltbot reconfig".',
  })

export const manifestChanged = (plugin: string) =>
  new CiError({
    code: 'BOLT_HOST_WORKER_APPLY',
    message: `Plugin "${plugin}" tapped or registered other things when its worker was started again.`,
    details: { plugin },
    hint: 'In apply, decide by the options alone what to tap and register.',
  })

/** `did`: without an answer; it computed, or was not heard of. */
export const workerBlocked = (plugin: string, did: 'computed' | 'was silent', ms: number, during: readonly string[]) =>
  new CiError({
    code: 'BOLT_HOST_WORKER_BLOCKED',
    message: `The worker of plugin "${plugin}" was cut off: it ${did} for ${formatDuration(ms)} without an answer${inWhat(during)}.`,
    details: { plugin, did, ms, during },
    hint: 'Do long work in pieces, with an await of setImmediate from node:timers/promises between them, and wait for nothing without letting go of the thread.',
  })

export const workerMemory = (plugin: string, memoryMb: number, during: readonly string[]) =>
  new CiError({
    code: 'BOLT_HOST_WORKER_MEMORY',
    message: `The worker of plugin "${plugin}" was cut off: it used more than its ${memoryMb} MB${inWhat(during)}.`,
    details: { plugin, memoryMb, during },
    hint: 'Keep less, or give it more: isolation: { memoryMb: 1024 }.',
  })

export const workerEnded = (plugin: string, why: string, during: readonly string[]) =>
  new CiError({
    code: 'BOLT_HOST_WORKER_ENDED',
    message: `The worker of plugin "${plugin}" ended${inWhat(during)}: ${why}`,
    details: { plugin, why, during },
  })

const inWhat = (during: readonly string[]) => (during.length === 0 ? '' : ` in ${listNames(during)}`)
