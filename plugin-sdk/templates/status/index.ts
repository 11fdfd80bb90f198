import { definePlugin } from 'boltbot/plugin-sdk'

export interface MyPluginOptions {
  /** Builders it tells of; default: all. */
  readonly builders?: readonly string[]
  /** Where builds are told: gets `{ builder, number, result }` as JSON. */
  readonly url: string
}

/** Tells a web address how each build ended. No event is lost in a crash; one may come twice, with the same key. */
export const myPlugin = definePlugin({
  name: 'my-plugin',
  kind: 'status',
  durable: true,
  apply(host, { url, builders }: MyPluginOptions) {
    host.tap('buildFinished', async ({ eventId, builder, number, result }, { signal }) => {
      if (builders && !builders.includes(builder)) return
      const answer = await fetch(url, {
        method: 'POST',
        signal,
        headers: { 'content-type': 'application/json', 'idempotency-key': `${eventId}` },
        body: JSON.stringify({ builder, number, result }),
      })
      // A throw is told the admin, and the event comes again.
      if (!answer.ok) throw new Error(`"${url}" answers ${answer.status}.`)
    })
  },
})
