import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { arch, availableParallelism, hostname, release, type } from 'node:os'
import { join, resolve } from 'node:path'
import { CONFIG_NAMES } from '../config/names.ts'
import { badArgument, basedirTaken, basedirUnusable } from './errors.ts'
import { makeFolders } from './make-folders.ts'
import { readStandardInput } from './standard-input.ts'

export interface SlaveDirectoryOptions {
  readonly umask?: string
  readonly usepty?: true
  readonly keepalive: number
  readonly maxdelay: number
}

/** Makes the directory of a slave; gives its absolute path. @throws CiError `BOLT_CLI_EXISTS`, `BOLT_CLI_UNUSABLE`, `BOLT_CLI_ARGUMENT`. */
export function makeSlaveDirectory(
  basedir: string,
  login: { readonly url: string; readonly name: string; readonly password: string },
  options: SlaveDirectoryOptions,
): string {
  const path = resolve(basedir)
  const password =
    login.password === '-'
      ? readStandardInput()
          .toString('utf8')
          .replace(/\r?\n$/, '')
      : login.password
  if (password === '') throw badArgument('password', '', 'text that is not empty')
  const taken = [...CONFIG_NAMES, 'slave.json'].find((file) => existsSync(join(path, file)))
  if (taken !== undefined) throw basedirTaken(path, taken)
  try {
    makeFolders(path)
    mkdirSync(join(path, 'info'), { recursive: true })
    writeIfNew(join(path, 'info', 'admin'), 'Your Name <you@example.invalid>\n')
    const machine = `${hostname()}: ${type()} ${release()}, ${arch()}, ${availableParallelism()} processors\n`
    writeIfNew(join(path, 'info', 'host'), machine)
    writeFileSync(join(path, 'password'), `${password}\n`, { mode: 0o600 })
    const settings = {
      url: login.url,
      name: login.name,
      passwordFile: 'password',
      umask: options.umask ?? null,
      keepalive: options.keepalive,
      maxdelay: options.maxdelay,
      ...(options.usepty && { usepty: true }),
    }
    writeFileSync(join(path, 'slave.json'), `${JSON.stringify(settings, null, 2)}\n`)
  } catch (error) {
    throw basedirUnusable(path, 'made', error)
  }
  return path
}

function writeIfNew(file: string, text: string): void {
  if (!existsSync(file)) writeFileSync(file, text)
}
