import { HOOK_KINDS, type HttpAnswer, type HttpEvent, type HttpRequest, type PluginInstance } from 'boltbot/plugin-sdk'
import { guardAway } from '../errors.ts'
import type { WireAnswer, WireRequest } from './messages.ts'
import type { PluginWorker } from './plugin-worker.ts'

type Definition = PluginInstance['definition']

/**
 * What stands for a plugin's definition while it runs in a thread: taps and registers what the thread has noted, and calls it there. To the
 * rest of the host it is a plugin like any other, with the same deadlines, mailbox, cursor and budget.
 */
export function createRemotePlugin(definition: Definition, worker: PluginWorker): Definition {
  const { manifest, call } = worker
  const apply: Definition['apply'] = (host) => {
    for (const [place, { hook, options }] of manifest.taps.entries()) {
      const kind = HOOK_KINDS[hook]
      const tap = (event: unknown, { signal }: { readonly signal: AbortSignal }) => {
        // Observers wait while the thread is started again. The walk does not.
        if (kind === 'guard' && !worker.isUp()) throw guardAway(host.id, hook, 'stopped')
        if (kind !== 'observe' && !worker.isUp()) return undefined
        return call(hook, 'tap', [place, event], { signal })
      }
      host.tap(hook, tap as never, options) // the thread's tap is one for this hook
    }
    for (const [place, { name, ...facts }] of manifest.pollers.entries()) {
      const poll = async ({ signal }: { readonly signal: AbortSignal }) => {
        await call(`poller ${name}`, 'poll', [place], { signal })
      }
      host.registerPoller({ name, ...facts, poll })
    }
    for (const [place, facts] of manifest.chatCommands.entries()) {
      host.registerChatCommand({
        ...facts,
        run: ({ signal, reply, ...said }) =>
          call(`chat command ${facts.name}`, 'chat', [place, said], {
            signal,
            onPart: (text) => reply(String(text)),
          }) as Promise<string>, // what a command says, of whatever kind
      })
    }
    for (const [place, { scheme }] of manifest.carriers.entries()) {
      host.registerCarrier({
        scheme,
        addressOf: (who) => call(`carrier of ${scheme}`, 'addressOf', [place, who]) as Promise<string | null>,
        deliver: (delivery, { signal }) =>
          call(`carrier of ${scheme}`, 'deliver', [place, delivery], { signal }) as never, // the thread's carrier is one
      })
    }
    for (const [place, { method, path, options }] of manifest.routes.entries()) {
      const name = `route ${method} ${path}`
      const handler = async (request: HttpRequest) => {
        const answer = await call(name, 'route', [place, wireRequest(request)], { signal: request.signal })
        return httpAnswer(answer as WireAnswer, worker, name)
      }
      host.http.route(method, path, handler, options)
    }
  }
  const { preview, reconfigure, start: _, ...facts } = definition
  return {
    ...facts,
    apply,
    start: async () => {
      await worker.start()
    },
    ...(preview && {
      preview: (_host: unknown, _options: unknown, build: unknown) =>
        call('preview', 'preview', [build]) as Promise<string | null>,
    }),
    ...(reconfigure && { reconfigure: (_host: unknown, next: object) => worker.reconfigure(next) }),
  }
}

function wireRequest(request: HttpRequest): WireRequest {
  const { method, path, params, query, headers, body, client, proxied, origin } = request
  return { method, path, params, query: query.toString(), headers, body, client, proxied, origin }
}

function httpAnswer({ stream, ...facts }: WireAnswer, worker: PluginWorker, name: string): HttpAnswer {
  if (stream === undefined) return facts
  const pieces = async function* () {
    try {
      for (;;) {
        const { done, value } = (await worker.call(name, 'next', [stream.number])) as IteratorResult<unknown>
        if (done) return
        yield value
      }
    } finally {
      await worker.call(name, 'return', [stream.number]).catch(() => {}) // the thread is gone, and all its streams
    }
  }
  return stream.of === 'events'
    ? { ...facts, events: pieces() as AsyncGenerator<HttpEvent> } // as the handler gave them
    : { ...facts, body: pieces() as AsyncGenerator<string | Uint8Array> }
}
