/** Git: a poller that sees commits, and the step that checks them out. */
export { type GitOptions, git } from './checkout.ts'
export { type GitPollerOptions, gitPoller } from './poller.ts'
