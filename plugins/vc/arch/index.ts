/** Arch, by tla: the step that checks trees out. Commits are told by `boltbot hook arch`. */
export { type ArchOptions, arch } from './checkout.ts'
