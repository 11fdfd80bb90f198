import { type Branches, isSecretRef, type Schema, type SecretRef } from 'boltbot/plugin-sdk'
import { z } from 'zod'

export const FORGES = ['github', 'gitlab', 'gitea', 'bitbucketCloud', 'bitbucketServer', 'plain'] as const

/** Who posts: a forge (`gitea` is Forgejo too, `bitbucketServer` Data Center too), or a program of yours (`plain`). */
export type ForgeName = (typeof FORGES)[number]

export interface WebhookOptions {
  readonly forge: ForgeName
  /** What the forge signs with, or sends along. */
  readonly secret?: string | SecretRef | undefined
  /** True: takes what anybody posts. For addresses that only the forge can reach. */
  readonly unsigned?: boolean | undefined
  /** Where it is posted to. Default `/hooks/` and the forge: `/hooks/github`. */
  readonly path?: string | undefined
  /** Of which repositories, by their names at the forge: `jane/hello`, `jane/*`. Default: all. */
  readonly repositories?: readonly string[] | undefined
  /** Names, names with `*` for anything (`feature/*`), or `true` for all, the default. */
  readonly branches?: Branches | undefined
  /** The same for tags. A new or moved one is a change of the branch `refs/tags/<name>`. Default: none. */
  readonly tags?: Branches | undefined
  /** Whether pull (merge) requests are changes: `'own'`, those from branches of the repository itself, or `'all'`. Default: none. */
  readonly pullRequests?: 'own' | 'all' | undefined
  /** Set on each change; of `plain` ones that have none. */
  readonly project?: string | undefined
  readonly category?: string | undefined
  readonly codebase?: string | undefined
  /** The longest post taken, in MB; default 8. */
  readonly maxSize?: number | undefined
}

export interface Webhook extends Omit<WebhookOptions, 'path' | 'branches' | 'tags' | 'maxSize'> {
  readonly path: string
  readonly branches: Branches
  readonly tags: Branches
  readonly maxSize: number
}

const text = z.string('Give a text.')
const names = z.custom<Branches>(
  (value) => value === true || (Array.isArray(value) && value.every((item) => typeof item === 'string' && item !== '')),
  "Give a list of names, as in ['main', 'feature/*'], or true for all.",
)

const shape = z
  .strictObject({
    forge: z.enum(FORGES, `Give one of ${FORGES.map((name) => `'${name}'`).join(', ')}.`),
    secret: z
      .custom<string | SecretRef>(
        (value) => (typeof value === 'string' && value !== '') || isSecretRef(value),
        "Give a secret, best as secret('github-hook').",
      )
      .optional(),
    unsigned: z.boolean('Give true or false.').default(false),
    path: text.startsWith('/', 'Give a path that begins with "/", as in \'/hooks/hello\'.').optional(),
    repositories: z.array(text.min(1, 'Give names as in jane/hello.'), 'Give a list of names.').optional(),
    branches: names.default(true),
    tags: names.default([]),
    pullRequests: z.enum(['own', 'all'], "Give 'own' or 'all', or leave it out.").optional(),
    project: text.optional(),
    category: text.optional(),
    codebase: text.optional(),
    maxSize: z.number('Give a number of MB.').gt(0, 'Give more than 0.').max(64, 'Give 64 or less.').default(8),
  })
  .refine(({ secret, unsigned }) => unsigned || secret !== undefined, {
    path: ['secret'],
    message:
      "Give the secret that it is signed with, as secret('github-hook'); or unsigned: true to take what anybody posts.",
  })
  .transform((options) => ({ ...options, path: options.path ?? `/hooks/${options.forge}` }))

// zod marks what may be left out as "or undefined, but there"; the shapes are the same.
export const webhookSchema = shape as unknown as Schema<WebhookOptions, Webhook>
