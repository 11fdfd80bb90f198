import {
  definePlugin,
  type Host,
  isSecretRef,
  type Json,
  messageOf,
  patchOf,
  type Schema,
  type SecretRef,
} from 'boltbot/plugin-sdk'
import { z } from 'zod'
import { FRIEND } from '../../../wire/pb/limits.ts'
import { itemsOf, plainOf, textOf, textOrNull, textsOf } from '../../../wire/pb/plain.ts'
import { RaisedError } from '../../../wire/pb/remote-error.ts'
import { Referenceable, type Value } from '../../../wire/pb/values.ts'
import type { PbSession } from '../../ports/pb/account.ts'
import { DEFAULT_PB_PORT, type PbAddress, pbPort } from '../../ports/pb/pb-address.ts'
import { joinPbPort } from '../../ports/pb/pb-port.ts'
import { buildsetOfTry, type CheckedTry, type TryJob, type TryOptions, tryShape } from './job.ts'
import { createTryWatch, followBuilds, type TryWatch } from './watch.ts'

export interface TryUserpassOptions extends Omit<TryOptions, 'reason'> {
  /**
   * `9989` (the default), or `'tcp:9989:interface=0.0.0.0'`; without an interface only this machine can connect. Plugins that name the
   * same port share it.
   */
  readonly port?: number | string | undefined
  /** Who may try: pairs of user and password. */
  readonly userpass: readonly (readonly [user: string, password: string | SecretRef])[]
}

interface Checked extends CheckedTry {
  readonly port: PbAddress
  readonly userpass: readonly (readonly [user: string, password: string | SecretRef])[]
}

const PAIRS = "Give pairs of user and password, as in [['alice', secret('alice')]]."

const shape = z.strictObject({
  ...tryShape,
  port: pbPort.default(DEFAULT_PB_PORT),
  userpass: z
    .array(
      z.custom<readonly [string, string | SecretRef]>(
        (value) =>
          Array.isArray(value) && value.length === 2 && isText(value[0]) && (isText(value[1]) || isSecretRef(value[1])),
        PAIRS,
      ),
      PAIRS,
    )
    .min(1, PAIRS),
})

// zod marks what may be left out as "or undefined, but there"; the shapes are the same.
const schema = shape as unknown as Schema<TryUserpassOptions, Checked>

/**
 * Builds what developers try before they commit it: `boltbot try --connect=pb` and `buildbot try` send a patch over Perspective
 * Broker, and may wait for what comes of it.
 *
 * @example
 * tryUserpass({ name: 'try', builders: [full], port: 8031, userpass: [['alice', secret('alice')]] })
 */
export const tryUserpass = definePlugin<'scheduler', TryUserpassOptions, Checked>({
  name: 'try-userpass',
  kind: 'scheduler',
  needs: ['schedulers', 'buildsets', 'secrets'],
  schema,
  id: ({ name }) => name,
  apply(host, options) {
    const { name, builders } = options
    // Its jobs come from outside; it is registered so that others may name it.
    host.registerScheduler({ name, builders, initial: null, wants: () => false, decide: () => ({ state: null }) })
    followBuilds(host, watchesOf(host))
  },
  async start(host, options) {
    const passwords = new Map(options.userpass)
    await joinPbPort(host, options.port, {
      kind: 'try',
      users: [...passwords.keys()],
      password: (user) => (passwords.has(user) ? host.secrets.resolve(passwords.get(user)!) : undefined),
      enter: async (session) => trier(host, session, options),
    })
  },
})

const WATCHES = new WeakMap<Host, Set<TryWatch>>()

/** Those of one instance: `apply` taps for them, `start` makes them. */
function watchesOf(host: Host): Set<TryWatch> {
  const known = WATCHES.get(host) ?? new Set()
  WATCHES.set(host, known)
  return known
}

/** What somebody who tries may call. */
function trier(host: Host, session: PbSession, options: Checked): Referenceable {
  const watch = createTryWatch(host.clock)
  watchesOf(host).add(watch)
  void session.closed.then(() => watchesOf(host).delete(watch))
  return new Referenceable({
    getAvailableBuilderNames: () => [...options.builders],
    /** Asked by our own client when a patch is large. */
    getLongestString: () => FRIEND.string,
    async try(args) {
      const job = jobOf(args)
      const unknown = job.builders.find((name) => !options.builders.includes(name))
      if (unknown !== undefined) {
        host.log.warn('try for a builder that is not offered', {
          user: session.user,
          peer: session.peer,
          builder: unknown,
        })
        return null // what clients take for "the master does not have the builder"
      }
      const buildset = buildsetOfTry(options, job)
      const submitted = await host.submitBuildset(buildset).catch((error: unknown) => {
        host.log.warn('try refused', { user: session.user, peer: session.peer, reason: messageOf(error) })
        throw new RaisedError('builtins.ValueError', messageOf(error))
      })
      host.log.info('try taken', { user: session.user, peer: session.peer, buildset: submitted.buildset })
      return watch.buildset(submitted.requests.map((id, at) => ({ id, builder: buildset.builders[at]! })))
    },
  })
}

/** Old clients leave the last three out. Some send revision and texts as bytes. */
function jobOf(args: readonly Value[]): TryJob {
  const [branch, revision, patch, repository, project, builders, who, comment, properties] = args
  const [level, body, subdir] = itemsOf(patch)
  const bytes = body instanceof Uint8Array ? body : Buffer.from(textOf(body) ?? '')
  const plain = properties === undefined ? {} : plainOf(properties)
  return {
    id: null,
    branch: textOrNull(branch) || null,
    revision: textOrNull(revision) || null,
    patch: bytes.length === 0 ? null : patchOf({ level: levelOf(level), subdir: textOf(subdir) ?? '', bytes }),
    repository: textOf(repository) ?? '',
    project: textOf(project) ?? '',
    builders: textsOf(builders),
    who: textOrNull(who) || null,
    comment: textOrNull(comment) || null,
    properties: isObject(plain) ? plain : {},
  }
}

function levelOf(value: Value | undefined): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 1000) return value
  throw new RaisedError('builtins.ValueError', 'The level of the patch is no number of folders.')
}

const isObject = (value: unknown): value is Readonly<Record<string, Json>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isText = (value: unknown): boolean => typeof value === 'string' && value !== ''
