import { vcSourceConformance } from './vc-source-suite.ts'

await vcSourceConformance('svn', 'svn')
