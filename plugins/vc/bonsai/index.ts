/** Bonsai, which watches CVS: a poller that asks it for commits. */
export { type BonsaiPollerOptions, bonsaiPoller } from './poller.ts'
