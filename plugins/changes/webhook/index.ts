import { definePlugin } from 'boltbot/plugin-sdk'
import { secretEmpty } from './errors.ts'
import { bitbucketCloud } from './forges/bitbucket-cloud.ts'
import { bitbucketServer } from './forges/bitbucket-server.ts'
import type { Forge } from './forges/forge.ts'
import { gitea } from './forges/gitea.ts'
import { github } from './forges/github.ts'
import { gitlab } from './forges/gitlab.ts'
import { plain } from './forges/plain.ts'
import { type ForgeName, type WebhookOptions, webhookSchema } from './options.ts'
import { createReceiver } from './receiver.ts'

export type { ForgeName, WebhookOptions } from './options.ts'

/** How each forge speaks. */
const KNOWN: Readonly<Record<ForgeName, Forge>> = { github, gitlab, gitea, bitbucketCloud, bitbucketServer, plain }

const MB = 1024 * 1024

/**
 * Changes that forges and programs post: pushes, tags and pull requests. Needs `http` in the config.
 *
 * @example sources: [webhook({ forge: 'github', secret: secret('github-hook') })] // at https://ci.example.org/hooks/github
 */
export const webhook = definePlugin({
  name: 'changes/webhook',
  kind: 'source',
  needs: ['changes', 'state', 'pollers', 'http', 'secrets'],
  schema: webhookSchema,
  id: ({ forge, path }: WebhookOptions) => `webhook ${path ?? `/hooks/${forge}`}`,
  apply(host, options) {
    const receive = createReceiver(host, KNOWN[options.forge], options)
    host.http.route('POST', options.path, receive, { maxBody: Math.floor(options.maxSize * MB) })
  },
  start(host, { secret }) {
    // Better here than at the first delivery.
    if (secret !== undefined && host.secrets.resolve(secret) === '') throw secretEmpty(host.id)
  },
})
