import { CiError, messageOf } from 'boltbot/plugin-sdk'

/** Diagnostics of the web server. */

export const portTaken = (address: string, cause: unknown) =>
  new CiError({
    code: 'BOLT_HTTP_PORT_TAKEN',
    message: `The address ${address} for http is taken by another program.`,
    details: { address },
    hint: 'Stop that program, or give http another port.',
    cause,
  })

export const cannotListen = (address: string, cause: unknown) =>
  new CiError({
    code: 'BOLT_HTTP_LISTEN',
    message: `The web server cannot listen at ${address}: ${messageOf(cause)}.`,
    details: { address },
    hint: 'Give http a host of this machine and a port above 1023.',
    cause,
  })

export const httpOff = (plugin: string) =>
  new CiError({
    code: 'BOLT_HTTP_OFF',
    message: `Plugin "${plugin}" serves pages, and the config has no "http".`,
    details: { plugin },
    hint: 'Add http: { port: 8010 } to the config.',
  })

export const badRoute = (plugin: string, path: string, why: string) =>
  new CiError({
    code: 'BOLT_HTTP_ROUTE',
    message: `Plugin "${plugin}" adds the route "${path}", which ${why}.`,
    details: { plugin, path },
    hint: "Write host.http.route('GET', '/lamps/:name', handler).",
  })

export const routeTaken = (plugin: string, route: string, by: string) =>
  new CiError({
    code: 'BOLT_HTTP_ROUTE_TAKEN',
    message: `Plugin "${plugin}" adds the route "${route}", which plugin "${by}" serves.`,
    details: { plugin, route, by },
    hint: 'Give one of them another path by its options.',
  })

export const routeDeadline = (plugin: string, route: string, ms: number) =>
  new CiError({
    code: 'BOLT_HTTP_DEADLINE',
    message: `Plugin "${plugin}" gave no answer for "${route}" within ${ms / 1000} s.`,
    details: { plugin, route, ms },
    hint: 'Pass the signal of the request to what it waits for.',
  })

export const badAnswer = (plugin: string, route: string, what: string) =>
  new CiError({
    code: 'BOLT_HTTP_ANSWER',
    message: `Plugin "${plugin}" answered "${route}" with ${what}.`,
    details: { plugin, route },
    hint: 'Answer { status, headers, body }: see HttpAnswer in the plugin SDK.',
  })
