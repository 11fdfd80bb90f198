// `npm run api`: writes down the interface of plugins, in plugin-sdk/api.md.
import { writeFileSync } from 'node:fs'
import { readExports, snapshotOf } from './exports.ts'

writeFileSync(new URL('../../plugin-sdk/api.md', import.meta.url), snapshotOf(readExports()))
