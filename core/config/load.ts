import { randomUUID } from 'node:crypto'
import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { type Checked, checkConfig } from './check.ts'
import { configMissing, configProblems } from './errors.ts'
import { evaluationProblem } from './evaluation-problem.ts'
import { createImporter, type Importer } from './importer.ts'
import type { Config } from './model.ts'
import { createPositions } from './positions.ts'

/**
 * Evaluates and checks a config in this process. Each call evaluates the file and those it imports from its folder anew.
 * @throws CiError `BOLT_CONFIG_MISSING`, `BOLT_CONFIG_PROBLEMS` (with all of them in `details.problems`).
 */
export async function loadConfig(file: string, options: { readonly generation?: string } = {}): Promise<Config> {
  const path = resolve(file)
  const { config, problems } = await readConfig(createImporter(), path, options.generation)
  if (config === undefined) throw configProblems(path, problems)
  return config
}

/** As `loadConfig`, with the problems as a value. */
export async function readConfig(
  importer: Importer,
  file: string,
  generation: string = randomUUID(),
): Promise<Checked> {
  if (!statSync(file, { throwIfNoEntry: false })?.isFile()) throw configMissing(file)
  const positions = createPositions(file)
  let imported: Awaited<ReturnType<Importer['read']>>
  try {
    imported = await importer.read(file, generation)
  } catch (error) {
    return { problems: [evaluationProblem(file, error, positions, importer.filesOf(generation))] }
  }
  return checkConfig(file, imported, positions)
}
