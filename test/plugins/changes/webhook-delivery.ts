import { createHmac, randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { TestHost, TestRequest } from 'boltbot/plugin-sdk/testing'
import type { ForgeName } from 'boltbot/plugins/changes/webhook'

export const SECRET = 'open sesame'

/** What a forge posts, with the headers it documents. */
export interface Delivery {
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export function payloadOf(file: string): string {
  return readFileSync(new URL(`../../fixtures/webhooks/${file}.json`, import.meta.url), 'utf8')
}

/** Signed as the forge signs. */
export function delivery(forge: ForgeName, event: string, body: string, secret = SECRET): Delivery {
  const hmac = createHmac('sha256', secret).update(body).digest('hex')
  const own: Record<ForgeName, Readonly<Record<string, string>>> = {
    github: { 'X-GitHub-Event': event, 'X-GitHub-Delivery': randomUUID(), 'X-Hub-Signature-256': `sha256=${hmac}` },
    gitlab: { 'X-Gitlab-Event': event, 'X-Gitlab-Event-UUID': randomUUID(), 'X-Gitlab-Token': secret },
    gitea: { 'X-Gitea-Event': event, 'X-Gitea-Delivery': randomUUID(), 'X-Gitea-Signature': hmac },
    bitbucketCloud: { 'X-Event-Key': event, 'X-Request-UUID': randomUUID(), 'X-Hub-Signature': `sha256=${hmac}` },
    bitbucketServer: { 'X-Event-Key': event, 'X-Request-Id': randomUUID(), 'X-Hub-Signature': `sha256=${hmac}` },
    plain: { 'X-Boltbot-Signature': `sha256=${hmac}` },
  }
  return { path: `/hooks/${forge}`, headers: { 'Content-Type': 'application/json', ...own[forge] }, body }
}

export interface Answered {
  readonly status: number
  readonly text: string
}

export async function post(
  host: TestHost,
  { path, headers, body }: Delivery & Partial<TestRequest>,
): Promise<Answered> {
  const answer = await host.request({ method: 'POST', path, headers, body })
  if (answer === undefined) throw new Error(`nothing is posted to ${path}`)
  return { status: answer.status ?? 200, text: String(answer.body).trimEnd() }
}
