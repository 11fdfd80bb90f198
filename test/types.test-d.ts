import { builder, buildFactory, defineMaster, definePlugin, type PluginInstance, slave } from 'boltbot/plugin-sdk'

const linux = slave({ name: 'bot-linux' })
const bsd = slave({ name: 'bot-bsd' })
const full = builder({ name: 'full', slaves: [linux, bsd], factory: buildFactory([]) })
declare const t: PluginInstance<'slave'>

const lamp = definePlugin({
  name: 'lamp',
  kind: 'status',
  durable: true,
  apply(host, options: { url: string }) {
    host.tap('buildFinished', async ({ eventId, builder, result }, { signal }) => {
      await fetch(options.url, {
        method: 'POST',
        signal,
        headers: { 'idempotency-key': `${eventId}` },
        body: JSON.stringify({ builder, lit: result === 'failure' }),
      })
    })
  },
})
defineMaster({
  projectName: 'x',
  transports: [t],
  slaves: [linux, bsd],
  builders: [full],
  status: [lamp({ url: 'x' })],
})
// @ts-expect-error a builder names a slave that is not declared
defineMaster({ projectName: 'x', transports: [t], slaves: [linux], builders: [full] })
// @ts-expect-error a misspelt option
lamp({ ulr: 'x' })
// @ts-expect-error a missing option
lamp()
// @ts-expect-error a status target among the transports
defineMaster({ projectName: 'x', transports: [lamp({ url: 'x' })], slaves: [linux, bsd], builders: [full] })
