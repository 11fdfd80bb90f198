import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { sshFailed } from '../errors.ts'

export interface SshOptions {
  /** The program, with words of its own before the host. */
  readonly ssh: string
  readonly host: string
  readonly port: string | undefined
  readonly user: string | undefined
  /** On the master's machine. */
  readonly jobdir: string
  /** The program on the master's machine that takes the job. */
  readonly program: string
}

/** Hands a job to `tryserver` on the master's machine. @throws CiError `BOLT_CLI_SSH`. */
export async function deliverBySsh(job: Uint8Array, options: SshOptions): Promise<void> {
  const { ssh, host, port, user, jobdir, program } = options
  const [command = 'ssh', ...words] = ssh.split(/\s+/).filter((word) => word !== '')
  const login = [...(user ? ['-l', user] : []), ...(port ? ['-p', port] : []), host]
  const child = spawn(command, [...words, ...login, program, 'tryserver', '--jobdir', quoted(jobdir)], {
    stdio: ['pipe', 'inherit', 'pipe'],
  })
  const errors: Buffer[] = []
  child.stderr.on('data', (data) => errors.push(data))
  child.stdin.on('error', () => {}) // its exit code says it
  child.stdin.end(job)
  try {
    const [code] = await once(child, 'close')
    if (code !== 0) throw sshFailed(host, Buffer.concat(errors).toString().trim() || `${command} ended with ${code}`)
  } catch (error) {
    throw (error as { readonly code?: string }).code === 'ENOENT'
      ? sshFailed(host, `there is no program "${command}"`)
      : error
  }
}

/** ssh gives its words to a shell over there. */
const quoted = (word: string) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)
