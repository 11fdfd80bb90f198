import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { type Branches, definePlugin, isSecretRef, type Schema, type SecretRef } from 'boltbot/plugin-sdk'
import { z } from 'zod'
import { isWeb, secretOrText } from '../login.ts'
import {
  address,
  branchesField,
  type CheckedPoller,
  type PollerOptions,
  pollerFields,
  program,
  text,
} from '../poller-options.ts'
import { withoutSecrets } from '../url-secrets.ts'
import { createCredentials, withLogin } from './credentials.ts'
import { examineRepository } from './doctor.ts'
import { createGit } from './git-process.ts'
import { createMirror } from './mirror.ts'
import { createPoll, wantedRefs } from './poll.ts'

export interface GitPollerOptions extends PollerOptions {
  /** URL or path, as git takes it. */
  readonly repourl: string
  /** Names, names with `*` for anything (`feature/*`), or `true` for all. */
  readonly branches: Branches
  /** Tags to watch, as `branches`: a new or moved one is a change whose branch is `refs/tags/<name>`. Default: none. */
  readonly tags?: Branches | undefined
  /** User and password (or token) for an https server; better than in the URL. */
  readonly credentials?: { readonly username: string; readonly password: string | SecretRef } | undefined
  /** The private key for an ssh server: its text, as a secret. Needs `sshKnownHosts`. */
  readonly sshPrivateKey?: SecretRef | undefined
  /** The server's host keys, as lines of `known_hosts` (`ssh-keyscan git.example.org`): no other server is talked to. */
  readonly sshKnownHosts?: string | undefined
  /** The git program; default `git`. */
  readonly gitbin?: string | undefined
}

interface CheckedGit extends CheckedPoller {
  readonly repourl: string
  readonly branches: Branches
  readonly tags: Branches
  readonly credentials?: GitPollerOptions['credentials']
  readonly sshPrivateKey?: SecretRef | undefined
  readonly sshKnownHosts?: string | undefined
  readonly gitbin: string
}

const schema: Schema<GitPollerOptions, CheckedGit> = z
  .strictObject({
    ...pollerFields,
    repourl: address,
    branches: branchesField,
    tags: z.union([branchesField, z.array(z.never()).readonly()]).default([]),
    credentials: z.strictObject({ username: text, password: secretOrText }).optional(),
    sshPrivateKey: z.custom<SecretRef>((value) => isSecretRef(value), "Give secret('name').").optional(),
    sshKnownHosts: text
      .refine((lines) => /^\S+ \S+ \S+/m.test(lines), 'Give lines of known_hosts, as ssh-keyscan prints them.')
      .optional(),
    gitbin: program('git'),
  })
  .refine(({ credentials, repourl }) => credentials === undefined || isWeb(repourl), {
    path: ['repourl'],
    message: 'With credentials it must begin with https:// or http://; for ssh, give sshPrivateKey and sshKnownHosts.',
  })
  .refine(({ sshPrivateKey, sshKnownHosts }) => sshPrivateKey === undefined || sshKnownHosts !== undefined, {
    path: ['sshKnownHosts'],
    message: 'Say which host keys the server has: a key is given to no unknown server.',
  })

/**
 * Asks a git repository for new commits and hands in each as a change. The first poll only notes where the branches are.
 * @example gitPoller({ repourl: 'https://git.example.org/hello.git', branches: ['main', 'feature/*'], pollInterval: '2m' })
 */
export const gitPoller = definePlugin({
  name: 'vc/git',
  kind: 'source',
  needs: ['changes', 'pollers', 'state', 'directory', 'secrets'],
  schema,
  id: ({ repourl }) => `git ${withoutSecrets(repourl)}`,
  doctor(doctor, given) {
    const options = withLogin(given)
    const { repourl, gitbin } = options
    return examineRepository(doctor, {
      credentials: createCredentials(doctor, options),
      repourl,
      repository: withoutSecrets(repourl),
      gitbin,
    })
  },
  apply(host, given) {
    const options = withLogin(given)
    const { repourl, pollInterval, pollAtLaunch, gitbin } = options
    const repository = withoutSecrets(repourl)
    const credentials = createCredentials(host, options)
    const git = createGit(gitbin, { hide: new Map([[repourl, repository]]), env: credentials.env })
    // One folder per repository: an id may be given to another one later.
    const folder = `${createHash('sha256').update(repourl).digest('hex').slice(0, 16)}.git`
    host.registerPoller({
      name: 'poll',
      repository,
      watches: wantedRefs(options),
      interval: pollInterval,
      pollAtLaunch,
      deadline: '30m', // the first fetch of a large repository
      async poll({ signal }) {
        const directory = await host.directory()
        await credentials.prepare(directory)
        const mirror = createMirror({ git, repourl, path: join(directory, folder) })
        await createPoll({ host, git, mirror, repository, options })(signal)
      },
    })
  },
})
