import { createMemoryLogStore } from '../../../../core/store/logs/memory-log-store.ts'
import { logStoreConformance } from '../../../conformance/log-store.ts'

logStoreConformance({
  name: 'in memory',
  async open() {
    const logs = createMemoryLogStore()
    return { logs, [Symbol.asyncDispose]: () => logs.close() }
  },
})
