import { hookStories } from './rig/hook-stories.ts'

await hookStories('bzr', 'brz')
