import type { World } from './world.ts'

/** Everything is over: what must be there, and what must not be there any more. */
export async function checkEnd(world: World): Promise<void> {
  const { verdict, store, history, presence, process } = world
  const left = (what: string) => verdict.broken('nothing is left behind', what)
  presence.settle()
  world.durable.settle(history.events.map(({ event }) => event.eventId))
  await checkLogs(world)
  await checkEpochs(world)

  const holds = await store.db.selectFrom('lock_holds').selectAll().execute()
  if (holds.length > 0) left(`holds of locks: ${JSON.stringify(holds)}`)
  const whys = await store.db.selectFrom('why_nots').selectAll().execute()
  // A master that went on after another took over may have had the last word: reasons carry no claim.
  if (whys.length > 0 && !world.haunted) left(`stored reasons: ${JSON.stringify(whys)}`)
  const open = await store.db
    .selectFrom('buildsets')
    .select(['id', 'pending'])
    .where('finished_at', 'is', null)
    .execute()
  if (open.length > 0) left(`buildsets: ${JSON.stringify(open)}`)
  const running = await store.db.selectFrom('builds').select('id').where('state', '=', 'running').execute()
  if (running.length > 0) left(`running builds: ${JSON.stringify(running)}`)
  for (const slave of world.slaves.values()) {
    if (!slave.linked) left(`slave ${slave.name} has no link`)
    if (slave.held > 0) left(`slave ${slave.name} holds ${slave.held} commands`)
  }

  process?.stop()
  await world.advance(60_000)
  if (process?.state !== 'over') left('a master that does not stop')
}

/** The log of a step that ended well is what its slave wrote, byte for byte. */
async function checkLogs({ store, logStore, script, verdict }: World): Promise<void> {
  const steps = await store.db
    .selectFrom('steps')
    .innerJoin('builds', 'builds.id', 'steps.build_id')
    .select(['steps.build_id as build', 'steps.number as step', 'builds.epoch as epoch', 'steps.logs as logs'])
    .where('steps.result', 'in', ['success', 'warnings', 'failure'])
    .execute()
  for (const { build, step, epoch, logs } of steps) {
    const pieces = await logStore.read({ build, step, epoch, log: 'stdio' }, 0)
    const stored = Buffer.concat(pieces.map((piece) => piece.data)).toString()
    const written = script.written({ build, step, epoch })
    const bytes = (JSON.parse(logs) as { bytes: number }[]).reduce((sum, log) => sum + log.bytes, 0)
    if (stored === written && bytes === written.length) continue
    const message = `build ${build} step ${step}: ${JSON.stringify(written)} became ${JSON.stringify(stored)} (${bytes} bytes)`
    verdict.broken('a log is what the slave wrote', message)
  }
}

/** Each build of a request has a greater epoch than the one before. */
async function checkEpochs({ store, verdict }: World): Promise<void> {
  const last = new Map<number, number>()
  const builds = await store.db.selectFrom('builds').select(['id', 'epoch', 'requests']).orderBy('id').execute()
  for (const { id, epoch, requests } of builds) {
    for (const request of JSON.parse(requests) as number[]) {
      const before = last.get(request) ?? 0
      if (epoch <= before)
        verdict.broken('epochs grow', `request ${request}: build ${id} has epoch ${epoch} after ${before}`)
      last.set(request, epoch)
    }
  }
}
