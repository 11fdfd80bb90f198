// A plugin that tests run in a worker within a rig: a worker imports this file.
import { threadId } from 'node:worker_threads'
import { definePlugin } from 'boltbot/plugin-sdk'

/** Writes down each build, ten seconds after it, and what time it is each minute. */
export const clockwork = definePlugin({
  name: 'clockwork',
  kind: 'service',
  needs: ['state', 'changes'],
  durable: true,
  apply(host, { endAt }: { readonly endAt?: number }) {
    host.tap('buildFinished', async ({ builder, number }) => {
      if (number === endAt && (await host.state.get('ended')) === undefined) {
        await host.state.set('ended', true)
        process.exit(3)
      }
      await host.clock.sleep(10_000)
      await host.state.set(`${builder} ${number}`, host.clock.now())
      await host.submitChange({ who: 'clockwork', files: [], comments: `${builder} #${number}` })
      host.log.info('written down', { number, at: host.clock.now(), isThread: threadId > 0 })
    })
  },
  start(host) {
    const tick = () => {
      host.log.info('tick', { at: host.clock.now() })
      host.clock.timer(60_000, tick)
    }
    host.clock.timer(60_000, tick)
  },
})
