import { createRequire } from 'node:module'

// To import node:http asks for each of its exports, one of which loads the whole HTTP client behind `fetch`: 15 MB for nothing.
const { createServer } = createRequire(import.meta.url)('node:http') as typeof import('node:http')

export { createServer }
