// Runs before the npm scripts, on any Node: installs what is missing, so that the script itself runs on the pinned one.
import { execSync } from 'node:child_process'
import { statSync } from 'node:fs'

const timeOf = (file) => {
  try {
    return statSync(new URL(`../../${file}`, import.meta.url)).mtimeMs
  } catch {
    return 0
  }
}

if (timeOf('node_modules/.package-lock.json') < timeOf('package-lock.json')) {
  process.stderr.write('Installing what is missing (npm ci) …\n')
  execSync('npm ci --no-audit --no-fund --loglevel=error', {
    stdio: ['ignore', 'ignore', 'inherit'],
    cwd: new URL('../..', import.meta.url),
  })
}
