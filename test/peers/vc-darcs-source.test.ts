import { vcSourceConformance } from './vc-source-suite.ts'

await vcSourceConformance('darcs', 'darcs')
