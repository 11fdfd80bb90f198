import type { Config } from '../config/model.ts'

/** Where people reach the web server, with `/` at its end. */
export function urlOf({ buildbotURL }: Pick<Config, 'buildbotURL'>, host: string, port: number): string {
  return buildbotURL === null ? `http://${hostText(host)}:${port}/` : buildbotURL.replace(/\/*$/, '/')
}

/** A host as it stands in a URL; one that means all addresses is this machine for a reader of the log. */
function hostText(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost'
  return host.includes(':') ? `[${host}]` : host
}
