/** Mercurial: a poller that sees commits, and the step that checks them out. */
export { type HgOptions, hg } from './checkout.ts'
export { type HgPollerOptions, hgPoller } from './poller.ts'
