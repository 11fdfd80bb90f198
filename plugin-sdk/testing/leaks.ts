import { until } from './until.ts'

/**
 * Runs something and holds it against it when it leaves timers of the process, sockets, servers, watchers or children behind. Resolves with
 * what it gives, once all is as before.
 * @throws CiError `BOLT_TESTING_WAITED` with what is left `deadline` real milliseconds later (default 5000); else what `work` throws.
 * @example await withoutLeaks(() => withRig({ config }, async (rig) => { await rig.force('full') }))
 */
export async function withoutLeaks<T>(work: () => Promise<T>, { deadline = 5000 } = {}): Promise<T> {
  const before = resources()
  const result = await work()
  await until(() => left(before).length === 0, {
    what: 'all that was opened to be closed',
    deadline,
    seen: () => left(before).join(', '),
  })
  return result
}

/** Those of now that were not there before. */
function left(before: readonly string[]): readonly string[] {
  const known = [...before]
  return resources().filter((name) => {
    const at = known.indexOf(name)
    if (at !== -1) known.splice(at, 1)
    return at === -1
  })
}

/** What keeps the process alive; not the test runner's own, which come and go. */
function resources(): readonly string[] {
  return process
    .getActiveResourcesInfo()
    .filter((name) => !/^(Timeout|Immediate|TTYWrap|FSReqPromise|FSReqCallback|PipeWrap|MessagePort)$/.test(name))
}
