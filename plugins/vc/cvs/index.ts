/** CVS: a poller that sees commits, and the step that checks them out. */
export { type CvsOptions, cvs } from './checkout.ts'
export { type CvsPollerOptions, cvsPoller } from './poller.ts'
