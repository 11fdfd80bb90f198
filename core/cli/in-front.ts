import { type Basedir, openBasedir, readEnvironmentFile } from './basedir.ts'
import { outliveReader, printError } from './output.ts'

/**
 * The program of `boltbot start --nodaemon BASEDIR`, which runs for months: it comes to its work without the code of the other commands,
 * as a master or slave is smaller for it, and a small slave starts its commands faster. Ends the process.
 */
export async function main([, , , , path]: readonly string[]): Promise<void> {
  try {
    process.exit(await runInFront(openBasedir(path!))) // boltbot.js looked at the number of words
  } catch (error) {
    printError(error)
    process.exitCode = 1
  }
}

/** Runs what a base directory is for until it is told to stop; resolves with the exit code. */
export async function runInFront(basedir: Basedir): Promise<number> {
  outliveReader()
  Object.assign(process.env, readEnvironmentFile(basedir.path))
  if (basedir.kind === 'slave') return (await import('./run-slave.ts')).runSlave(basedir)
  return (await import('./run-master.ts')).runMaster(basedir)
}
