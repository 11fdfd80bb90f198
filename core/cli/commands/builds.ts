import { type BuilderView, type BuildView, formatDuration } from 'boltbot/plugin-sdk'
import type { Command } from 'commander'
import { unknownBuilder } from '../../errors.ts'
import { callMaster } from '../control-client.ts'
import { type LiveOptions, listCommand, wholeNumber } from '../live-command.ts'
import { ago, oneLine, print, printJson, printTable } from '../output.ts'

interface Options extends LiveOptions {
  readonly builder?: string
  readonly running?: true
  readonly limit: number
}

export function buildsCommand(): Command {
  return listCommand('builds', 'list builds, the newest first', 'builds --builder full --limit 5')
    .option('--builder <name>', 'only those of this builder')
    .option('--running', 'only those that run now')
    .option('--limit <count>', 'how many at most', wholeNumber, 20)
    .action(async ({ basedir, json, ...filter }: Options) => {
      const builds = await callMaster<readonly BuildView[]>(basedir, 'builds', filter)
      if (builds.length === 0 && filter.builder !== undefined) await mustKnow(basedir, filter.builder)
      if (json) return printJson(builds)
      printTable(builds.map(rowOf))
      if (builds.length === 0) print('There are no such builds.')
    })
}

/** A builder that is gone from the config may have builds still: only one that has none is looked for. */
async function mustKnow(basedir: string, name: string): Promise<void> {
  const known = (await callMaster<readonly BuilderView[]>(basedir, 'builders', {})).map((builder) => builder.name)
  if (!known.includes(name)) throw unknownBuilder(name, known)
}

/** `, done in about 5m (3m to 8m)`. */
function endOf({ eta }: BuildView): string {
  if (eta === undefined) return ''
  const [at, low, high] = [eta.at, eta.low, eta.high].map((ms) => formatDuration(Math.max(0, ms - Date.now())))
  return `, done in about ${at} (${low} to ${high})`
}

function rowOf(build: BuildView): readonly string[] {
  const revision = build.sourceStamp.revision?.slice(0, 12) ?? 'newest'
  const running = build.steps.findLast((step) => step.finishedAt === null)
  return [
    `${build.builder}/${build.number}`,
    build.result ?? 'running',
    ago(build.finishedAt ?? build.startedAt),
    build.slave,
    oneLine(`${build.sourceStamp.branch ?? 'default'}@${revision}`),
    oneLine(running ? `${running.name}${endOf(build)}` : build.text.join(' ') || build.reason),
  ]
}
