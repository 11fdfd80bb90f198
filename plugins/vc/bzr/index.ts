/** Bazaar: a poller that sees commits, and the step that checks them out. */
export { type BzrOptions, bzr } from './checkout.ts'
export { type BzrPollerOptions, bzrPoller } from './poller.ts'
