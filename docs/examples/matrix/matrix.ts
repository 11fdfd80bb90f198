import { CiError, definePlugin, formatDuration, type SecretRef } from 'boltbot/plugin-sdk'

export interface MatrixOptions {
  /** `https://matrix.example.org` */
  readonly homeserver: string
  /** The id of a room the account is in: `!abc:example.org`. */
  readonly room: string
  /** The access token of the account. */
  readonly token: SecretRef
  /** Only of these builders; default: all. */
  readonly builders?: readonly string[]
}

/**
 * Tells a Matrix room of every build that did not go well, and of the first that did again. Durable: while the server is away the messages wait. One
 * that is sent twice is shown once, as its transaction has the same name.
 */
export const matrix = definePlugin({
  name: 'matrix',
  kind: 'status',
  durable: true,
  needs: ['secrets'],
  apply(host, { homeserver, room, token, builders }: MatrixOptions) {
    host.tap('buildFinished', async (build, { signal }) => {
      const { builder, number, result, previousResult, eventId } = build
      const isNews = result !== 'success' || (previousResult !== null && previousResult !== 'success')
      if (!isNews || result === 'retry' || (builders && !builders.includes(builder))) return
      const took = formatDuration(build.at - build.startedAt)
      const body = `${builder} #${number}: ${result} after ${took}, changes by ${build.blamelist.join(', ') || 'nobody'}`
      const path = `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/send/m.room.message/boltbot-${host.id}-${eventId}`
      const answer = await fetch(new URL(path, homeserver), {
        method: 'PUT',
        signal,
        headers: { authorization: `Bearer ${host.secrets.resolve(token)}`, 'content-type': 'application/json' },
        body: JSON.stringify({ msgtype: 'm.notice', body }),
      })
      if (!answer.ok) throw refused(homeserver, answer.status, await answer.text())
    })
  },
})

const refused = (server: string, status: number, text: string) =>
  new CiError({
    code: 'MATRIX_REFUSED',
    message: `The Matrix server "${server}" answers ${status}: ${text.slice(0, 200)}`,
    hint: 'Is the account in the room, and its token good? The message is sent again.',
  })
