import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Host, SecretRef } from 'boltbot/plugin-sdk'
import { decoded } from '../url-secrets.ts'

export interface CredentialOptions {
  readonly repourl: string
  readonly credentials?: { readonly username: string; readonly password: string | SecretRef } | undefined
  readonly sshPrivateKey?: SecretRef | undefined
  readonly sshKnownHosts?: string | undefined
}

/** How git gets into its server. Neither key nor password ever stands on a command line, which all users of a machine can read. */
export interface Credentials {
  /** Writes what ssh reads from files. */
  prepare(directory: string): Promise<void>
  env(): Readonly<Record<string, string>>
}

export function createCredentials(host: Pick<Host, 'secrets'>, options: CredentialOptions): Credentials {
  const { repourl, credentials, sshPrivateKey, sshKnownHosts } = options
  let folder = ''
  return {
    async prepare(directory) {
      folder = directory
      if (sshPrivateKey !== undefined) {
        const key = host.secrets.resolve(sshPrivateKey)
        await writePrivately(join(directory, 'ssh-key'), key.endsWith('\n') ? key : `${key}\n`)
      }
      if (sshKnownHosts !== undefined) await writePrivately(join(directory, 'known-hosts'), `${sshKnownHosts.trim()}\n`)
    },
    env() {
      const { password } = credentials ?? {}
      return {
        ...(credentials !== undefined &&
          credentialHelper(repourl, credentials.username, host.secrets.resolve(password ?? ''))),
        ...(sshKnownHosts !== undefined && { GIT_SSH_COMMAND: ssh(folder, sshPrivateKey !== undefined) }),
      }
    },
  }
}

/**
 * Takes user and password out of a web address: there they would stand on command lines, in the settings of trees and in what git
 * prints. Those that are given beside it count more.
 */
export function withLogin<T extends { readonly repourl: string; readonly credentials?: object | undefined }>(
  options: T,
): T {
  const found = /^(https?:\/\/)([^/@:]*):([^/]*)@(.*)$/is.exec(options.repourl)
  if (found === null) return options
  const [, scheme = '', username = '', password = '', rest = ''] = found
  const credentials = options.credentials ?? { username: decoded(username), password: decoded(password) }
  return { ...options, repourl: scheme + rest, credentials }
}

async function writePrivately(path: string, text: string): Promise<void> {
  await writeFile(path, text, { mode: 0o600 })
  await chmod(path, 0o600) // one that was there kept its mode
}

/**
 * A credential helper that knows one server, by the environment: git asks no other for this host, and this one for no other. As `git -c`
 * tells the programs that git starts, so that it works with any git; `GIT_CONFIG_COUNT` is known from 2.31 on, and may be in use.
 */
export function credentialHelper(repourl: string, username: string, password: string): Record<string, string> {
  // Nothing that could end the name of a setting.
  const scope = /^https?:\/\/(?:[^/]*@)?([\p{L}\p{N}.:[\]_-]+)(?:\/|$)/iu.exec(repourl)
  if (scope === null) return {}
  const name = `credential.${/^https/i.test(repourl) ? 'https' : 'http'}://${scope[1]}.helper`
  return {
    GIT_CONFIG_PARAMETERS: [`${name}=`, `${name}=${HELPER}`].map(quoted).join(' '),
    BOLTBOT_GIT_USER: username,
    BOLTBOT_GIT_PASSWORD: password,
  }
}

const HELPER =
  '!f() { test "$1" = get && printf "username=%s\\npassword=%s\\n" "$BOLTBOT_GIT_USER" "$BOLTBOT_GIT_PASSWORD"; }; f'

const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`

/** Only our key and only the pinned server; ssh gets the paths through git's shell, so they are quoted. */
function ssh(folder: string, hasKey: boolean): string {
  // In a value of ssh's own a quoted path may hold blanks.
  const option = (name: string, path: string) => `-o ${quoted(`${name}="${path}"`)}`
  const pinned = [option('UserKnownHostsFile', join(folder, 'known-hosts')), '-o GlobalKnownHostsFile=/dev/null']
  const key = hasKey ? [option('IdentityFile', join(folder, 'ssh-key')), '-o IdentitiesOnly=yes'] : []
  return ['ssh', '-o BatchMode=yes', '-o StrictHostKeyChecking=yes', ...pinned, ...key].join(' ')
}
