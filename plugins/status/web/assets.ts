import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Host } from 'boltbot/plugin-sdk'
import type { Frame } from './layout.ts'
import type { Site } from './site.ts'

export interface Assets {
  urls(): Frame['assets']
}

const TYPES = { css: 'text/css; charset=utf-8', js: 'text/javascript; charset=utf-8', svg: 'image/svg+xml' } as const

const read = (file: string) => readFileSync(new URL(`assets/${file}`, import.meta.url))
/** Small files of ours, read with the code. */
const FILES = { style: read('style.css'), live: read('live.js'), icon: read('icon.svg') }

/** Style, script and icon, named by what is in them, so that browsers may keep them. */
export function serveAssets(host: Host, site: Site): Assets {
  const add = (name: keyof typeof FILES, type: keyof typeof TYPES) => {
    const body = FILES[name]
    const file = `${name}-${createHash('sha256').update(body).digest('hex').slice(0, 12)}.${type}`
    host.http.route('GET', `/assets/${file}`, () => ({
      headers: { 'content-type': TYPES[type], 'cache-control': 'public, max-age=31536000, immutable' },
      body,
    }))
    return () => site.paths().asset(file)
  }
  const [style, script, icon] = [add('style', 'css'), add('live', 'js'), add('icon', 'svg')]
  host.http.route('GET', '/robots.txt', () => ({ body: 'User-agent: *\nDisallow: /\n' }))
  return { urls: () => ({ style: style(), script: script(), icon: icon() }) }
}
