import type { LogPlace } from 'boltbot/plugin-sdk'

/** Paths of all pages, below where the master's pages begin (`/`, or `/ci/` behind a proxy). Permanent: mails and chat link there. */
export interface Paths {
  readonly base: string
  home(): string
  builders(): string
  builder(name: string): string
  build(builder: string, number: number): string
  log(builder: string, number: number, step: LogPlace['step'], log: string): string
  slaves(): string
  slave(name: string): string
  changes(): string
  change(id: number): string
  request(id: number): string
  schedulers(): string
  scheduler(name: string): string
  asset(name: string): string
  to(path: string): string
}

/** @example createPaths('https://ci.example.org/bolt/').builder('full') // '/bolt/builders/full' */
export function createPaths(url: string): Paths {
  const base = new URL(url).pathname.replace(/\/*$/, '/')
  const to = (path: string) => base + path
  const part = encodeURIComponent
  const builder = (name: string) => to(`builders/${part(name)}`)
  const build = (name: string, number: number) => `${builder(name)}/builds/${number}`
  return {
    base,
    home: () => base,
    builders: () => to('builders'),
    builder,
    build,
    log: (name, number, step, log) => `${build(name, number)}/steps/${step}/logs/${part(log)}`,
    slaves: () => to('slaves'),
    slave: (name) => to(`slaves/${part(name)}`),
    changes: () => to('changes'),
    change: (id) => to(`changes/${id}`),
    request: (id) => to(`requests/${id}`),
    schedulers: () => to('schedulers'),
    scheduler: (name) => to(`schedulers/${part(name)}`),
    asset: (name) => to(`assets/${name}`),
    to,
  }
}
