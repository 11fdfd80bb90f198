/** What a working tree is based on, and how it differs from that. */
export interface TreeState {
  readonly branch: string | null
  readonly revision: string | null
  /** Folders to take off the front of the patch's paths. */
  readonly level: number
  /** Empty: nothing is changed. */
  readonly patch: Uint8Array
}

export const KINDS = ['git', 'hg', 'svn', 'darcs', 'bzr', 'cvs', 'tla'] as const
export type Kind = (typeof KINDS)[number]

export interface TreeOptions {
  /** Where to begin to look. */
  readonly folder: string
  /** The top of the tree, for those that have a folder of their own in each folder. */
  readonly top?: string | undefined
  /** A file that only the top has. */
  readonly topFile?: string | undefined
  readonly branch?: string | undefined
  /** What to compare with, instead of what the tree says. */
  readonly baseRevision?: string | undefined
}

/** How one kind of tree is read. */
export type TreeReader = (run: RunTool, options: TreeOptions) => Promise<TreeState>

export interface RunTool {
  /** Standard output. `codes`: exit codes that are fine beside 0. @throws CiError `BOLT_CLI_TREE`. */
  bytes(args: readonly string[], codes?: readonly number[]): Promise<Uint8Array>
  /** As text without white space at the ends. */
  text(args: readonly string[]): Promise<string>
  /** A file, from the top of the tree. @throws CiError `BOLT_CLI_TREE`. */
  file(path: string): Uint8Array
  /** As `text`; `null` when it fails. */
  maybe(args: readonly string[]): Promise<string | null>
}
