/** The steps most builds are made of. */
export { type CompileOptions, compile } from './shell/compile.ts'
export { configure } from './shell/configure.ts'
export type { PresetOptions, ShellCommandOptions } from './shell/options.ts'
export { test } from './shell/run-tests.ts'
export { shellCommand } from './shell/shell-command.ts'
export { type TriggerOptions, type TriggerStamp, trigger } from './trigger/trigger.ts'
