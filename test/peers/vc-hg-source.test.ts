import { vcSourceConformance } from './vc-source-suite.ts'

await vcSourceConformance('hg', 'hg')
