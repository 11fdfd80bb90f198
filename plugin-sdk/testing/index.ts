/** For tests of plugins: time, chance, a log, a host, slaves that do what the test says, whole masters in memory, and suites for each kind of plugin. */
export { createFakeClock, type FakeClock, type FakeClockOptions, type PendingTimer } from './fake-clock.ts'
export { withoutLeaks } from './leaks.ts'
export { createMemoryLog, type LogLevel, type LogLine, type MemoryLog } from './memory-log.ts'
export type { RigMail } from './rig/mails.ts'
export { createRig, type Rig, type RigOptions, type RigUntil, withRig } from './rig/rig.ts'
export type { RigIrc } from './rig/stage.ts'
export type { RigEvent } from './rig/story.ts'
export {
  commandText,
  type ScriptedAnswer,
  type ScriptedAnswers,
  type ScriptedCommand,
  type ScriptedOutput,
  type ScriptedResult,
} from './scripted-answers.ts'
export { type Asked, createScriptedSlave, type ScriptedSlave, type ScriptedSlaveOptions } from './scripted-slave.ts'
export { createSeededRandom } from './seeded-random.ts'
export { type ChangeSourceKind, changeSourceSuite, type SourceUnderTest } from './suites/change-source.ts'
export type { RunTest } from './suites/run-test.ts'
export { type SchedulerKind, schedulerSuite } from './suites/scheduler.ts'
export { type ServiceKind, type ServiceUnderTest, serviceSuite } from './suites/service.ts'
export { type StatusKind, type StatusUnderTest, statusSuite } from './suites/status.ts'
export { type StepKind, stepSuite } from './suites/step.ts'
export { type TransportKind, type TransportUnderTest, transportSuite } from './suites/transport.ts'
export { createTestHost, type FiredEvent, type TestHost, type TestHostOptions } from './test-host.ts'
export type { TestRecords } from './test-powers.ts'
export type { TestRequest } from './test-routes.ts'
export { type UntilOptions, until } from './until.ts'
