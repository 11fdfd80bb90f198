import { isHmac } from '../signature.ts'
import type { Forge } from './forge.ts'
import { PUSH, readPullRequest, readPush } from './github.ts'
import { payloadOf, pick } from './payload.ts'

/** Webhooks of Gitea and Forgejo: shapes like GitHub's, the newest commit first, and not all of many. */
export const gitea: Forge = {
  title: 'Gitea',
  isSigned: ({ headers, body }, secret) =>
    isHmac(headers['x-gitea-signature'] ?? headers['x-forgejo-signature'], secret, body),
  read(request) {
    const event = request.headers['x-gitea-event'] ?? request.headers['x-forgejo-event'] ?? 'no'
    if (event === 'push') return readPush(pick(PUSH, payloadOf(request), 'push of Gitea'), Number.POSITIVE_INFINITY)
    if (event === 'pull_request' || event === 'pull_request_sync')
      return readPullRequest(payloadOf(request), 'pull request of Gitea')
    return { kind: 'nothing', why: `it is a "${event}" event` }
  },
}
