import { closeSync, fstatSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'

export interface LogFileOptions {
  readonly path: string
  /** Begins a new file when this one is fuller. Default 10 MB. */
  readonly maxBytes?: number
  /** Old files kept: `master.log.1` is the newest. Default 10. */
  readonly keep?: number
}

export interface LogFile extends Disposable {
  /** Appends a line. Never throws: a full disk must not end the program. */
  write(line: string): void
}

/** The log file of a daemon, with old ones beside it. */
export function openLogFile({ path, maxBytes = 10_000_000, keep = 10 }: LogFileOptions): LogFile {
  let file = openSync(path, 'a', 0o640)
  let size = fstatSync(file).size

  const rotate = () => {
    closeSync(file)
    rmSync(`${path}.${keep}`, { force: true })
    for (let n = keep - 1; n >= 1; n--) moveIfThere(`${path}.${n}`, `${path}.${n + 1}`)
    moveIfThere(path, `${path}.1`)
    file = openSync(path, 'a', 0o640)
    size = fstatSync(file).size
  }

  return {
    write(line) {
      const data = Buffer.from(`${line}\n`)
      try {
        if (size > 0 && size + data.length > maxBytes) rotate()
        size += writeSync(file, data)
      } catch {
        // There is no other place to tell it; the next line is tried again.
      }
    },
    [Symbol.dispose]: () => closeSync(file),
  }
}

function moveIfThere(from: string, to: string): void {
  try {
    renameSync(from, to)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}
