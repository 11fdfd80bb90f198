import { definePlugin, type Result } from 'boltbot/plugin-sdk'

/** Figures for Prometheus at `/metrics`: builds that ended, by builder and result, and what waits and runs now. */
export const prometheus = definePlugin({
  name: 'prometheus',
  kind: 'status',
  needs: ['http'],
  apply(host) {
    /** Since the start of this master: Prometheus knows counters that begin anew. */
    const ended = new Map<string, Map<Result, number>>()
    const seconds = new Map<string, number>()
    host.tap('buildFinished', ({ builder, result, startedAt, at }) => {
      const counts = ended.getOrInsertComputed(builder, () => new Map())
      counts.set(result, (counts.get(result) ?? 0) + 1)
      seconds.set(builder, (seconds.get(builder) ?? 0) + (at - startedAt) / 1000)
    })
    host.http.route('GET', '/metrics', async () => {
      const builders = await host.query.builders()
      const slaves = await host.query.slaves()
      const body = [
        ...metric(
          'boltbot_builds_total',
          'counter',
          'Builds that ended.',
          [...ended].flatMap(([builder, counts]) =>
            [...counts].map(([result, count]) => sample({ builder, result }, count)),
          ),
        ),
        ...metric(
          'boltbot_build_seconds_total',
          'counter',
          'Time spent in builds.',
          [...seconds].map(([builder, sum]) => sample({ builder }, sum)),
        ),
        ...metric(
          'boltbot_requests_waiting',
          'gauge',
          'Requests in the queue.',
          builders.map(({ name, waiting }) => sample({ builder: name }, waiting)),
        ),
        ...metric(
          'boltbot_builds_running',
          'gauge',
          'Builds that run.',
          builders.map(({ name, building }) => sample({ builder: name }, building.length)),
        ),
        ...metric(
          'boltbot_slave_connected',
          'gauge',
          'Whether a slave is there.',
          slaves.map(({ name, state }) => sample({ slave: name }, state === 'detached' ? 0 : 1)),
        ),
      ]
      return { headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }, body: `${body.join('\n')}\n` }
    })
  },
})

const metric = (name: string, type: 'counter' | 'gauge', help: string, samples: readonly string[]) => [
  `# HELP ${name} ${help}`,
  `# TYPE ${name} ${type}`,
  ...samples.map((text) => `${name}${text}`),
]

function sample(labels: Readonly<Record<string, string>>, value: number): string {
  const escaped = (text: string) => text.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n')
  return `{${Object.entries(labels)
    .map(([name, text]) => `${name}="${escaped(text)}"`)
    .join()}} ${value}`
}
