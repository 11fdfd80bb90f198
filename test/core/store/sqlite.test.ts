import { storeConformance } from '../../conformance/store.ts'
import { createSqliteRig } from './sqlite-rig.ts'

storeConformance({ name: 'SQLite', open: createSqliteRig })
