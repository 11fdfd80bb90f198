import type { ChangeInput, HttpRequest } from 'boltbot/plugin-sdk'

/** How one kind of forge speaks. */
export interface Forge {
  /** Its name, for people. */
  readonly title: string
  /** Whether who posts knows the secret; compared in constant time. */
  isSigned(request: HttpRequest, secret: string): boolean
  /**
   * What tells a delivery from others: `body` (the default, as that is signed, and names of deliveries are not), a text that the
   * body gives, or `null`: nothing does.
   */
  identity?(request: HttpRequest, news: News): string | null
  /** @throws PayloadError when it is not what this forge sends. */
  read(request: HttpRequest): News
}

/** What was posted, in terms of all forges. */
export type News =
  | { readonly kind: 'pushes'; readonly repository: ForgeRepository; readonly pushes: readonly Push[] }
  | { readonly kind: 'pullRequest'; readonly repository: ForgeRepository; readonly pullRequest: PullRequest }
  /** Whole changes, as a program posts them. */
  | { readonly kind: 'changes'; readonly id: string | null; readonly changes: readonly ChangeInput[] }
  /** The end of the sentence "it is ignored: ". */
  | { readonly kind: 'nothing'; readonly why: string }

export interface ForgeRepository {
  /** `jane/hello`. */
  readonly fullName: string
  /** How it can be cloned; changes name it by the first. Empty: the forge does not say. */
  readonly addresses: readonly string[]
}

/** One branch or tag was moved. */
export interface Push {
  /** As pollers name it: a tag by its whole name, `refs/tags/v1`. */
  readonly branch: string
  /** `null`: it is new. */
  readonly before: string | null
  /** The commit it is at now; `null`: it was deleted. */
  readonly after: string | null
  /** Oldest first. */
  readonly commits: readonly Commit[]
  /** What the payload does not carry: some of the commits, or what is in them. */
  readonly missing: 'commits' | 'details' | null
}

export type Commit = Pick<ChangeInput, 'who' | 'files' | 'comments'> & {
  readonly revision: string
  readonly revlink?: string | undefined
  readonly when?: number | undefined
}

export interface PullRequest {
  readonly number: number
  readonly title: string
  readonly text: string
  readonly url: string | null
  readonly who: string
  /** What to fetch its commits by: `refs/pull/7/head`. */
  readonly branch: string
  readonly revision: string
  /** Where it is fetched from, when that is not the repository itself. */
  readonly address?: string | undefined
  readonly source: { readonly repository: string; readonly branch: string }
  readonly target: string
}
