/** For tests of plugins: time, chance, a log, a host and slaves that do what the test says. Only the rig imports more than the SDK: all of the master. */
export { createFakeClock, type FakeClock, type FakeClockOptions, type PendingTimer } from './fake-clock.ts'
export { createMemoryLog, type LogLevel, type LogLine, type MemoryLog } from './memory-log.ts'
export type { RigMail } from './rig/mails.ts'
export { createRig, type Rig, type RigOptions, type RigUntil, withRig } from './rig/rig.ts'
export type { RigIrc } from './rig/stage.ts'
export type { RigEvent } from './rig/story.ts'
export {
  commandText,
  type ScriptedAnswer,
  type ScriptedCommand,
  type ScriptedOutput,
  type ScriptedResult,
} from './scripted-answers.ts'
export { type Asked, createScriptedSlave, type ScriptedSlave, type ScriptedSlaveOptions } from './scripted-slave.ts'
export { createSeededRandom } from './seeded-random.ts'
export { createTestHost, type FiredEvent, type TestHost, type TestHostOptions } from './test-host.ts'
export type { TestRecords } from './test-powers.ts'
export type { TestRequest } from './test-routes.ts'
export { type UntilOptions, until } from './until.ts'
