/** Schedulers: who decides when what is built. */
export type { ChangeFilter, Matcher } from './tree-stable/change-filter.ts'
export { type SchedulerOptions, scheduler } from './tree-stable/scheduler.ts'
