import assert from 'node:assert/strict'
import { it } from 'node:test'
import { forgetIdentities, noteCode, readIdentities, redeemCode, whoseIdentities } from '../../core/store/identities.ts'
import { readSubscribers, readSubscriptions, subscribe, unsubscribe } from '../../core/store/subscriptions.ts'
import type { StoreKind } from './store-kind.ts'

/** What people said of themselves. */
export function peopleConformance(kind: StoreKind): void {
  it('keeps one subscription of a person and a thing, the last one', async () => {
    await using under = await kind.open()
    const { store, other } = under
    await subscribe(store, { who: 'tom', kind: 'builder', name: 'full', by: 'mail', events: null })
    await subscribe(other, { who: 'tom', kind: 'builder', name: 'full', by: 'irc', events: ['started', 'failure'] })
    await subscribe(store, { who: 'ann', kind: 'branch', name: 'main', by: 'mail', events: null })
    assert.deepEqual(await readSubscriptions(store, 'tom'), [
      { who: 'tom', kind: 'builder', name: 'full', by: 'irc', events: ['started', 'failure'] },
    ])
    const told = await readSubscribers(store, { builder: 'full', branch: 'main' })
    assert.deepEqual(told.map(({ who }) => who).toSorted(), ['ann', 'tom'])
    assert.deepEqual(await readSubscribers(store, { builder: 'docs', branch: null }), [])
    assert.equal(await unsubscribe(store, { who: 'tom', kind: 'builder', name: 'full' }), true)
    assert.equal(await unsubscribe(other, { who: 'tom', kind: 'builder', name: 'full' }), false)
  })

  it('links an account by its code once, and forgets it', async () => {
    await using under = await kind.open()
    const { store } = under
    const expiresAt = store.now() + 900_000
    const ids = [
      await noteCode(store, { identity: 'account:JD@net', who: 'jane', digest: 'old', expiresAt }),
      await noteCode(store, { identity: 'account:jd@net', who: 'jane', digest: 'new', expiresAt }),
    ]
    assert.ok(ids.every((id) => typeof id === 'number'))
    assert.deepEqual(await redeemCode(store, 'account:jd@net', 'jane', 'old'), { status: 'wrong', left: 4 })
    assert.deepEqual(await redeemCode(store, 'account:jd@net', 'bob', 'new'), { status: 'none' })
    assert.deepEqual(await redeemCode(store, 'account:jd@net', 'jane', 'new'), { status: 'proved' })
    assert.deepEqual(await redeemCode(store, 'account:jd@net', 'jane', 'new'), { status: 'none' })
    await under.reopen()
    const again = under.store
    assert.deepEqual(await whoseIdentities(again, ['account:Jd@net', 'account:else@net']), ['jane'])
    const [linked] = await readIdentities(again, 'jane')
    assert.equal(linked?.identity, 'account:jd@net')
    assert.equal(typeof linked?.provedAt, 'number')
    assert.deepEqual(await forgetIdentities(again, ['account:JD@net']), ['jane'])
    assert.deepEqual(await whoseIdentities(again, ['account:jd@net']), [])
  })
}
