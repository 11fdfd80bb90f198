import { CiError, listNames, suggest } from 'boltbot/plugin-sdk'

/** Diagnostics of the walk, in its order. */

export const changeInvalid = (source: string, problems: readonly string[]) =>
  new CiError({
    code: 'BOLT_CHANGES_INVALID',
    message: `A change from "${source}" is malformed: ${problems.join('; ')}.`,
    details: { source, problems },
    hint: 'Give who, files and comments; see ChangeInput in the plugin SDK.',
  })

export const unknownBuilder = (builder: string, known: Iterable<string>) =>
  unknownName('BOLT_BUILDSETS_UNKNOWN_BUILDER', 'builder', builder, known)

export const noBuilders = (reason: string) =>
  new CiError({
    code: 'BOLT_BUILDSETS_EMPTY',
    message: `The buildset "${reason}" names no builder.`,
    hint: 'Name at least one builder.',
  })

export const buildsetUnknown = (buildset: number) =>
  new CiError({
    code: 'BOLT_BUILDSETS_UNKNOWN',
    message: `There is no buildset ${buildset}.`,
    details: { buildset },
    hint: 'It may have been removed by the retention of the config.',
  })

export const propertyInvalid = (name: string) =>
  new CiError({
    code: 'BOLT_BUILDSETS_PROPERTY',
    message: `The property "${name}" is not JSON data.`,
    details: { name },
    hint: 'Use strings, numbers, booleans, null, lists and plain objects.',
  })

export const unknownScheduler = (scheduler: string, known: Iterable<string>) =>
  unknownName('BOLT_SCHEDULING_UNKNOWN', 'scheduler', scheduler, known)

export const schedulerTwice = (scheduler: string) =>
  new CiError({
    code: 'BOLT_SCHEDULING_DUPLICATE',
    message: `Two schedulers are named "${scheduler}".`,
    details: { scheduler },
    hint: 'Their stored state belongs to the name: give one of them another.',
  })

export const notTriggerable = (scheduler: string) =>
  new CiError({
    code: 'BOLT_SCHEDULING_NOT_TRIGGERABLE',
    message: `The scheduler "${scheduler}" is not one that steps may trigger.`,
    details: { scheduler },
    hint: 'Name a scheduler made by triggerable({ name, builders }).',
  })

export const noForm = (scheduler: string) =>
  new CiError({
    code: 'BOLT_SCHEDULING_NO_FORM',
    message: `The scheduler "${scheduler}" is not one that people fill in a form for.`,
    details: { scheduler },
    hint: 'Name a scheduler made by forceScheduler({ name, builders, parameters }), or force a builder.',
  })

export const formWrong = (scheduler: string, problems: readonly string[]) =>
  new CiError({
    code: 'BOLT_SCHEDULING_FORM',
    message: `What was filled in for "${scheduler}" is not right: ${problems.join('; ')}.`,
    details: { scheduler, problems },
  })

export const triggeredNothing = (scheduler: string) =>
  new CiError({
    code: 'BOLT_SCHEDULING_TRIGGERED_NOTHING',
    message: `The scheduler "${scheduler}" was triggered and asked for no build.`,
    details: { scheduler },
    hint: "Look into the master's log: what went wrong in the scheduler stands there.",
  })

export const configFunctionSlow = (option: string, seconds: number) =>
  new CiError({
    code: 'BOLT_CONFIG_FUNCTION_SLOW',
    message: `The function "${option}" of the config gave no answer within ${seconds} s.`,
    details: { option, seconds },
    hint: 'Have it look at what it is given only, or ask the outside world beforehand.',
  })

export const requestNotWaiting = (request: number) =>
  new CiError({
    code: 'BOLT_QUEUE_NOT_WAITING',
    message: `Request #${request} is not waiting.`,
    details: { request },
    hint: 'It is unknown, running or finished; to end a running build, stop the build.',
  })

export const neverRunnable = (builder: string) =>
  new CiError({
    code: 'BOLT_QUEUE_NEVER_RUNNABLE',
    message: `No slave can ever run builder "${builder}": it lists none that the config has.`,
    details: { builder },
  })

export const slaveUnknown = (slave: string) =>
  new CiError({
    code: 'BOLT_SLAVES_UNKNOWN',
    message: `The config has no slave "${slave}".`,
    details: { slave },
    hint: 'Add slave({ name, password }) to the config of the master and reconfigure.',
  })

export const unknownSlave = (slave: string, known: Iterable<string>) =>
  unknownName('BOLT_SLAVES_NO_SUCH', 'slave', slave, known)

export const slaveDuplicate = (slave: string, peer: string) =>
  new CiError({
    code: 'BOLT_SLAVES_DUPLICATE',
    message: `The slave "${slave}" is already connected from ${peer} and answers there.`,
    details: { slave, peer },
    hint: 'Stop the other one, or give this machine a slave name of its own.',
  })

export const sessionLost = (slave: string, why: string) =>
  new CiError({
    code: 'BOLT_SESSION_LOST',
    message: `The slave "${slave}" was lost: ${why.replace(/\.$/, '')}.`,
    details: { slave, why },
  })

export const pingTimeout = (slave: string, seconds: number) =>
  new CiError({
    code: 'BOLT_SESSION_PING',
    message: `The slave "${slave}" did not answer a ping within ${seconds} s.`,
    details: { slave, seconds },
  })

export const buildUnknown = (build: number) =>
  new CiError({
    code: 'BOLT_BUILDS_UNKNOWN',
    message: `There is no build with the id ${build}.`,
    details: { build },
    hint: 'It may have been removed by the retention of the config.',
  })

export const buildNotRunning = (build: string) =>
  new CiError({ code: 'BOLT_BUILDS_NOT_RUNNING', message: `Build ${build} is not running.`, details: { build } })

export const buildStale = (build: number, epoch: number) =>
  new CiError({
    code: 'BOLT_BUILDS_STALE',
    message: `Build ${build} was ended or given away: the claim of epoch ${epoch} is no longer valid.`,
    details: { build, epoch },
  })

export const buildStopped = (who: string, reason: string) =>
  new CiError({
    code: 'BOLT_BUILDS_STOPPED',
    message: `The build was stopped by "${who}": ${reason}.`,
    details: { who, reason },
  })

export const accessRefused = (action: string, who: string) =>
  new CiError({
    code: 'BOLT_ACCESS_REFUSED',
    message: `Sorry, "${who}" may not do this (${action}) here.`,
    details: { action, who },
    hint: `"access.${action}" in the config of the master says who may.`,
  })

export const buildDeadlocked = (waits: readonly string[]) =>
  new CiError({
    code: 'BOLT_BUILDS_DEADLOCK',
    message: `The build was ended, as it would have waited for ever: ${waits.join('; ')}.`,
    details: { waits },
    hint: 'Do not wait for what was triggered while holding what it needs: give it a slave of its own, raise maxBuilds, or leave the lock out.',
  })

export const masterStopping = (reason: string) =>
  new CiError({ code: 'BOLT_MASTER_STOPPING', message: `The master stops: ${reason}.`, details: { reason } })

export const wrongDecision = (scheduler: string, problem: string) =>
  new CiError({
    code: 'BOLT_SCHEDULING_DECISION',
    message: `The decide of scheduler "${scheduler}" ${problem}.`,
    details: { scheduler },
    hint: 'Return { state } from it, with buildsets: [{ reason, changes }] to have something built, and wakeAt to be woken.',
  })

export const wrongOutcome = (step: string, given: string) =>
  new CiError({
    code: 'BOLT_STEPS_OUTCOME',
    message: `The run of step "${step}" gave ${given}, which is no outcome.`,
    details: { step },
    hint: "End it with: return { result: 'success' }, or another result.",
  })

export const stepsInvalid = (whose: string, problems: readonly string[]) =>
  new CiError({
    code: 'BOLT_STEPS_INVALID',
    message: `${whose} gave steps that cannot be run: ${problems.join(' ')}`,
    details: { problems },
  })

export const stepsTooMany = (step: string, limit: number) =>
  new CiError({
    code: 'BOLT_STEPS_TOO_MANY',
    message: `The step "${step}" adds steps beyond ${limit}, the most that a build may have.`,
    details: { step, limit },
    hint: 'Have one step do several things, or trigger builds of another builder.',
  })

export const stepsChoiceSlow = (builder: string, seconds: number) =>
  new CiError({
    code: 'BOLT_STEPS_SLOW',
    message: `The factory of "${builder}" chose no steps within ${seconds} s.`,
    details: { builder, seconds },
    hint: 'Have it look at the build only; what takes time is a step that adds others.',
  })

export const stepsForgotten = (builder: string, step: string, why: string) =>
  new CiError({
    code: 'BOLT_STEPS_FORGOTTEN',
    message: `The step "${step}" of a build of "${builder}" cannot be had again after the restart: ${why}.`,
    details: { builder, step, why },
  })

export const buildNotAdopted = (build: number, why: string) =>
  new CiError({
    code: 'BOLT_BUILDS_NOT_ADOPTED',
    message: `The master was restarted, and the build cannot go on: ${why}`,
    details: { build, why },
    hint: 'Its requests went back to the queue.',
  })

export const logLeft = (build: number, step: number, log: string) =>
  new CiError({
    code: 'BOLT_LOGS_LEFT',
    message: `The log "${log}" is not written any more: the master stops, and the next one goes on with the build.`,
    details: { build, step, log },
  })

export const logUnknown = (build: number, step: number, log: string, known: readonly string[]) =>
  new CiError({
    code: 'BOLT_LOGS_UNKNOWN',
    message: `This step has no log "${log}".`,
    details: { build, step, log },
    hint: known.length === 0 ? 'It has no logs, or they were removed.' : `Its logs: ${listNames(known)}.`,
  })

export const pollTooLong = (poller: string, seconds: number) =>
  new CiError({
    code: 'BOLT_POLLERS_DEADLINE',
    message: `The poller "${poller}" took longer than ${seconds} s.`,
    details: { poller, seconds },
    hint: 'Give it a longer deadline, or see why its repository answers so slowly.',
  })

export const unknownPoller = (poller: string, known: Iterable<string>) =>
  unknownName('BOLT_POLLERS_UNKNOWN', 'poller', poller, known)

export const pollerStopped = (poller: string) =>
  new CiError({
    code: 'BOLT_POLLERS_STOPPED',
    message: `The poller "${poller}" does not run.`,
    details: { poller },
    hint: 'The master starts or stops, or its plugin does: ask again when it runs.',
  })

export const pollerInvalid = (poller: string, what: string) =>
  new CiError({
    code: 'BOLT_POLLERS_INVALID',
    message: `The poller "${poller}" has a bad ${what}.`,
    details: { poller, what },
    hint: "A duration is a number of seconds or text such as '90s' or '5m'.",
  })

function unknownName(code: string, kind: string, name: string, known: Iterable<string>): CiError {
  const all = [...known]
  const near = suggest(name, all)
  return new CiError({
    code,
    message: `There is no ${kind} "${name}".${near ? ` Did you mean "${near}"?` : ''} Known: ${listNames(all)}.`,
    details: { name, known: all },
  })
}

export const noProgram = () =>
  new CiError({
    code: 'BOLT_POWERS_PROGRAM',
    message: 'This master was not started from a config file, so there is none to read again.',
    hint: 'Start it with "boltbot start".',
  })
