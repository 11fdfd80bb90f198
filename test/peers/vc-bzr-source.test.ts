import { vcSourceConformance } from './vc-source-suite.ts'

await vcSourceConformance('bzr', 'brz')
