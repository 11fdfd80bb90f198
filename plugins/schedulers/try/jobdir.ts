import { mkdir } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import { type Duration, definePlugin, durationMs, type Schema } from 'boltbot/plugin-sdk'
import { z } from 'zod'
import { jobdirFailed } from './errors.ts'
import { buildsetOfTry, type CheckedTry, type TryOptions, tryShape } from './job.ts'
import { createJobDirectory } from './job-directory.ts'
import { parseJobFile } from './job-file.ts'

export interface TryJobdirOptions extends Omit<TryOptions, 'reason'> {
  /** An absolute path; `new`, `cur` and `tmp` are made in it. Who may write into `new` may have anything built: set its mode with care. */
  readonly jobdir: string
  /** Between two looks, where file events do not come; default 10 seconds. */
  readonly pollInterval?: Duration | undefined
  /** Of one job file, in bytes; default 16 MiB. */
  readonly maxSize?: number | undefined
}

interface Checked extends CheckedTry {
  readonly jobdir: string
  readonly pollInterval: Duration
  readonly maxSize: number
}

const schema: Schema<TryJobdirOptions, Checked> = z.strictObject({
  ...tryShape,
  jobdir: z
    .string('Give the path of a folder.')
    .refine(isAbsolute, "Give an absolute path, as in join(import.meta.dirname, 'jobdir')."),
  pollInterval: z
    .custom<Duration>((value) => (durationMs(value as Duration) ?? 0) > 0, "Give seconds, or text such as '10s'.")
    .default('10s'),
  maxSize: z
    .int('Give a number of bytes.')
    .min(1)
    .default(16 << 20),
})

/**
 * Builds what developers try before they commit it: `buildbot try --connect=ssh` drops a job with a patch into a folder. A job that cannot be
 * taken moves to `failed`, with the reason beside it.
 *
 * @example
 * tryJobdir({ name: 'try', jobdir: join(import.meta.dirname, 'jobdir'), builders: [full] })
 */
export const tryJobdir = definePlugin({
  name: 'try-jobdir',
  kind: 'scheduler',
  needs: ['schedulers', 'buildsets', 'pollers'],
  schema,
  id: ({ name }) => name,
  apply(host, options) {
    const { name, builders, jobdir: path, maxSize, pollInterval: interval } = options
    // Its jobs come from outside; it is registered so that others may name it.
    host.registerScheduler({ name, builders, initial: null, wants: () => false, decide: () => ({ state: null }) })
    const jobs = host.own(
      createJobDirectory({
        host,
        path,
        maxSize,
        async take(file, bytes) {
          await host.submitBuildset(buildsetOfTry(options, parseJobFile(bytes), file))
          host.log.info('job taken', { file })
        },
      }),
    )
    host.registerPoller({
      name: 'jobs',
      interval,
      async poll() {
        await jobs.scan()
        jobs.watch()
      },
    })
  },
  async start(_host, { jobdir }) {
    try {
      for (const folder of ['tmp', 'new', 'cur']) await mkdir(join(jobdir, folder), { recursive: true })
    } catch (error) {
      throw jobdirFailed(jobdir, error)
    }
  },
})
