import type { BuilderView, BuildView, SlaveView } from 'boltbot/plugin-sdk'
import { callMaster } from '../control-client.ts'

/** What the dashboard shows, as of one moment. */
export interface Snapshot {
  readonly project: string
  readonly builders: readonly BuilderRow[]
  readonly slaves: readonly SlaveView[]
  readonly waiting: readonly Waiting[]
}

export interface BuilderRow {
  readonly builder: BuilderView
  /** Newest first. */
  readonly builds: readonly BuildView[]
}

export interface Waiting {
  readonly request: {
    readonly id: number
    readonly builder: string
    readonly submittedAt: number
    readonly state: string
  }
  readonly why: { readonly text: string } | null
}

/** Builds looked at for the strips: of all builders together, so that one question does. */
const RECENT = 400
const STRIP = 12

export async function readSnapshot(basedir: string): Promise<Snapshot> {
  const ask = <T>(method: string, params: object = {}) => callMaster<T>(basedir, method, params)
  const [info, builders, slaves, waiting, builds] = await Promise.all([
    ask<{ readonly project: { readonly name: string } }>('info'),
    ask<readonly BuilderView[]>('builders'),
    ask<readonly SlaveView[]>('slaves'),
    ask<readonly Waiting[]>('why'),
    ask<readonly BuildView[]>('builds', { limit: RECENT }),
  ])
  const byBuilder = Map.groupBy(builds, (build) => build.builder)
  return {
    project: info.project.name,
    builders: builders.map((builder) => ({ builder, builds: (byBuilder.get(builder.name) ?? []).slice(0, STRIP) })),
    slaves,
    waiting: waiting.filter(({ request }) => request.state === 'waiting'),
  }
}
