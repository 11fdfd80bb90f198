/** Darcs: a poller that sees patches, and the step that checks them out. */
export { type DarcsOptions, darcs } from './checkout.ts'
export { type DarcsPollerOptions, darcsPoller } from './poller.ts'
