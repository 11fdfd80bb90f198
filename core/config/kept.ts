import { existsSync } from 'node:fs'
import { copyFile, mkdir, readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join, relative } from 'node:path'
import { configNotKept } from './errors.ts'
import type { Importer } from './importer.ts'
import { readConfig } from './load.ts'
import type { Config } from './model.ts'

/** Copies of configs, kept as long as a build needs the one it began with. */
export interface KeptConfigs {
  /** The config of this content hash. @throws CiError `BOLT_CONFIG_NOT_KEPT` when there is no copy that can be used. */
  load(hash: string): Promise<Config>
  /** All others are needed no longer. */
  retain(hashes: ReadonlySet<string>): Promise<void>
}

/** Keeps nothing. */
export const NONE_KEPT: KeptConfigs = Object.freeze({
  load: (hash: string) => Promise.reject(configNotKept(hash, 'no copies are kept')),
  retain: async () => {},
})

export interface ConfigCopies extends KeptConfigs {
  /** Copies the files that a config was read from, before its first build begins. */
  keep(hash: string, generation: string): Promise<void>
}

/**
 * Copies in `directory`, a folder for each content hash. It must be below the config's own folder, so that packages are found from there
 * as well. Only files that the config imports are copied: what it reads by other means is read from where it was.
 */
export function createConfigCopies(directory: string, file: string, importer: Importer): ConfigCopies {
  const loaded = new Map<string, Promise<Config>>()

  async function read(hash: string): Promise<Config> {
    const copy = join(directory, hash, basename(file))
    if (!existsSync(copy)) throw configNotKept(hash, 'there is no copy of it')
    const { config, problems } = await readConfig(importer, copy)
    if (config === undefined) throw configNotKept(hash, problems[0]?.message ?? 'it has problems')
    if (config.hash !== hash) throw configNotKept(hash, 'its copy was changed')
    return config
  }

  return {
    async keep(hash, generation) {
      const folder = join(directory, hash)
      if (existsSync(folder)) return
      const unfinished = `${folder}.new`
      await rm(unfinished, { recursive: true, force: true })
      for (const source of importer.filesOf(generation)) {
        const target = join(unfinished, relative(dirname(file), source))
        await mkdir(dirname(target), { recursive: true, mode: 0o700 })
        await copyFile(source, target)
      }
      await rename(unfinished, folder)
    },
    load(hash) {
      const known = loaded.getOrInsertComputed(hash, () => read(hash))
      known.catch(() => loaded.delete(hash)) // the next one may find it
      return known
    },
    async retain(hashes) {
      for (const hash of loaded.keys()) if (!hashes.has(hash)) loaded.delete(hash)
      const kept = await readdir(directory).catch(() => [])
      for (const name of kept) {
        if (!hashes.has(name)) await rm(join(directory, name), { recursive: true, force: true })
      }
    },
  }
}
