import { execFile } from 'node:child_process'
import { statfsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type Finding, messageOf } from 'boltbot/plugin-sdk'

const GIB = 1024 ** 3

/** Node, disk and base directory: what every master stands on. */
export function checkMachine(basedir: string): readonly Finding[] {
  return [
    { what: 'node', verdict: 'ok', text: `Node ${process.versions.node} on ${process.platform}.` },
    checkDisk(basedir),
    ...checkSecretsFolder(basedir),
  ]
}

function checkDisk(basedir: string): Finding {
  const what = 'disk'
  try {
    const { bavail, blocks, bsize, ffree, files } = statfsSync(basedir)
    const [free, share] = [bavail * bsize, bavail / Math.max(1, blocks)]
    const text = `${(free / GIB).toFixed(1)} GiB are free (${Math.round(share * 100)} %).`
    const cure = 'Make room, or let the master keep less: retention in the config.'
    if (free < GIB / 4) return { what, verdict: 'fail', text, cure }
    if (files > 0 && ffree / files < 0.02)
      return { what, verdict: 'warn', text: `${text} Few files more can be made.`, cure }
    return free < 2 * GIB ? { what, verdict: 'warn', text, cure } : { what, verdict: 'ok', text }
  } catch (error) {
    return { what, verdict: 'warn', text: `Its room cannot be told: ${messageOf(error)}.` }
  }
}

function checkSecretsFolder(basedir: string): readonly Finding[] {
  const path = join(basedir, 'secrets')
  const mode = statSync(path, { throwIfNoEntry: false })?.mode
  if (mode === undefined || process.platform === 'win32' || (mode & 0o077) === 0) return []
  const text = `Others on this machine may look into ${path}.`
  return [{ what: 'secrets', verdict: 'fail', text, cure: `chmod 700 '${path}'` }]
}

/** A clock that went back makes timers late and times in mails wrong; one that nobody sets drifts. */
export async function checkClock(now: number, lastEvent: number | null): Promise<Finding> {
  const what = 'clock'
  const time = new Date(now).toISOString()
  if (lastEvent !== null && lastEvent > now + 60_000) {
    const text = `It says ${time}, but the last event was stored at ${new Date(lastEvent).toISOString()}.`
    return {
      what,
      verdict: 'fail',
      text,
      cure: 'Set the clock, and let something keep it: chrony or systemd-timesyncd.',
    }
  }
  const isSet = await promisify(execFile)('timedatectl', ['show', '--property=NTPSynchronized', '--value'], {
    timeout: 5000,
  }).then(
    ({ stdout }) => stdout.trim(),
    () => '', // no systemd here: who keeps the clock cannot be told
  )
  if (isSet === 'no')
    return {
      what,
      verdict: 'warn',
      text: `It says ${time}, and nothing keeps it right.`,
      cure: 'Install chrony or systemd-timesyncd.',
    }
  return { what, verdict: 'ok', text: `It says ${time}${isSet === 'yes' ? ', kept by a time server' : ''}.` }
}
