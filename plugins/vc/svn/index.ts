/** Subversion: a poller that sees revisions, and the step that checks them out. */
export { type SvnOptions, svn } from './checkout.ts'
export { type SvnPollerOptions, svnPoller } from './poller.ts'
export { alwaysTrunk, projectBranches, type SplitFile, trunkAndBranches } from './split-file.ts'
