import { createHash, randomBytes } from 'node:crypto'
import { chmod, mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { arch, hostname, release, type } from 'node:os'
import { join } from 'node:path'
import { directoryFailed } from './errors.ts'

/** The base directory of a slave that the master starts itself. */
export interface BaseDirectory {
  readonly path: string
  readonly password: string
}

export interface AgentSettings {
  readonly slave: string
  /** What it dials. */
  readonly url: string
  /** Left out: one of its own. */
  readonly password?: string
}

/** Seconds after which an agent without master and work exits. */
const ORPHAN_AFTER = 600
const LOG_BYTES = 1024 * 1024

/** The log of the agent's process, in its base directory. */
export const LOG_FILE = 'agent.log'

/** A folder name per slave name, never the same for two. */
export function folderOf(slave: string): string {
  if (/^\w[\w.-]{0,60}$/.test(slave)) return slave
  const hash = createHash('sha256').update(slave).digest('hex').slice(0, 12)
  return `${slave.replace(/[^\w-]/g, '_').slice(0, 40)}~${hash}`
}

/**
 * Makes it, or finds it as it was: a password of its own stays, as an agent from before may still run and log in with it.
 * @throws CiError `BOLT_LOCAL_DIRECTORY`.
 */
export async function makeBaseDirectory(path: string, agent: AgentSettings): Promise<BaseDirectory> {
  const { slave, url } = agent
  try {
    await mkdir(join(path, 'info'), { recursive: true, mode: 0o700 })
    await chmod(path, 0o700)
    const password = await keepPassword(join(path, 'password'), agent.password)
    const host = `${hostname()}: ${type()} ${release()}, ${arch()}, started by the master\n`
    await writeFile(join(path, 'info', 'host'), host)
    const settings = {
      url,
      name: slave,
      passwordFile: 'password',
      keepalive: 60,
      maxdelay: 2,
      orphanAfter: ORPHAN_AFTER,
    }
    await writeFile(join(path, 'slave.json'), `${JSON.stringify(settings, null, 2)}\n`)
    await keepLogSmall(join(path, LOG_FILE))
    return { path, password }
  } catch (error) {
    throw directoryFailed(slave, path, error)
  }
}

/** Folders of slaves that there are, also of those no longer in the config. */
export async function listFolders(slaves: string): Promise<readonly string[]> {
  return await readdir(slaves).catch(() => [])
}

async function keepPassword(file: string, given: string | undefined): Promise<string> {
  if (given !== undefined) {
    await writeFile(file, `${given}\n`, { mode: 0o600 })
    return given
  }
  const kept = (await readFile(file, 'utf8').catch(() => '')).trim()
  if (kept !== '') return kept
  const password = randomBytes(24).toString('base64url')
  await writeFile(file, `${password}\n`, { mode: 0o600 })
  return password
}

async function keepLogSmall(file: string): Promise<void> {
  const size = await stat(file).then(
    (found) => found.size,
    () => 0,
  )
  if (size > LOG_BYTES) await rename(file, `${file}.1`)
}
