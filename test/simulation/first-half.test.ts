import { test } from 'node:test'
import { runSlice } from './slice.ts'

test('the core keeps its promises in simulations from seed 1 on', () => runSlice(1, 200))
