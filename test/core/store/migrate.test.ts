import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { type CiError, hasCode } from 'boltbot/plugin-sdk'
import { createFakeClock, createMemoryLog } from 'boltbot/plugin-sdk/testing'
import { MIGRATIONS, type MigratedTables, migrate } from '../../../core/store/migrate.ts'
import { openSqliteStore } from '../../../core/store/open.ts'
import { createSqliteBuilders, createSqliteConnection } from '../../../core/store/sqlite-dialect.ts'
import { createFolder } from './sqlite-rig.ts'

describe('the schema', () => {
  it('has migrations numbered from 1 without gaps', () => {
    assert.deepEqual(
      MIGRATIONS.map((migration) => migration.number),
      MIGRATIONS.map((_, i) => i + 1),
    )
  })

  for (let version = 0; version < MIGRATIONS.length; version++) {
    it(`comes out the same, with every row kept, from version ${version}`, async () => {
      using database = new DatabaseSync(':memory:')
      await migrateTo(database, version)
      const before = fillTables(database)
      await migrateTo(database, MIGRATIONS.length)
      using fresh = new DatabaseSync(':memory:')
      await migrateTo(fresh, MIGRATIONS.length)
      assert.deepEqual(schemaOf(database), schemaOf(fresh))
      for (const [table, count] of before) {
        const rows = database.prepare(`select count(*) as count from "${table}"`).get()
        assert.ok(Number(rows?.count) >= count, `${table} lost rows`)
      }
    })
  }

  it('finds the head of the queue, and those of one merge key, by index, sorting nothing', async () => {
    using database = new DatabaseSync(':memory:')
    await migrateTo(database, MIGRATIONS.length)
    const order = 'order by priority desc, front desc, id limit 50'
    const plan = (where: string) =>
      database
        .prepare(`explain query plan select * from requests where ${where} and state = 'waiting' ${order}`)
        .all()
        .map((row) => String(row.detail))
    assert.deepEqual(plan("builder = 'a'"), ['SEARCH requests USING INDEX requests_waiting (builder=?)'])
    assert.deepEqual(plan("builder = 'a' and merge_key = 'k'"), [
      'SEARCH requests USING INDEX requests_waiting_key (builder=? AND merge_key=?)',
    ])
  })

  it('is refused when it is newer than the program', async () => {
    await using folder = await createFolder()
    const file = join(folder.path, 'state.sqlite')
    await (await open(file)).close()
    using database = new DatabaseSync(file)
    database.exec("update meta set value = '99' where key = 'schema'")
    database.close()
    await refused(file, 'BOLT_STORE_NEWER', new RegExp(`version "99".*only up to ${MIGRATIONS.length}`))
  })
})

describe('opening a store', () => {
  it('is refused for what is no database, or not ours', async () => {
    await using folder = await createFolder()
    const garbage = join(folder.path, 'garbage')
    await writeFile(garbage, 'this is not a database, but long enough to be looked at as one. '.repeat(20))
    await refused(garbage, 'BOLT_STORE_UNREADABLE', /not a database/)

    const foreign = join(folder.path, 'foreign')
    using database = new DatabaseSync(foreign)
    database.exec('create table songs (title text)')
    database.close()
    await refused(foreign, 'BOLT_STORE_UNREADABLE', /another program/)

    const directory = join(folder.path, 'directory')
    await mkdir(directory)
    await refused(directory, 'BOLT_STORE_UNREADABLE', /unable to open/)
    await refused(join(folder.path, 'missing', 'state.sqlite'), 'BOLT_STORE_UNREADABLE', /ENOENT/)
  })

  it('is refused while somebody else has it open, and works afterwards', async () => {
    await using folder = await createFolder()
    const file = join(folder.path, 'state.sqlite')
    const store = await open(file)
    await refused(file, 'BOLT_STORE_LOCKED', /in use by another process/)
    // The refused attempt must not have taken the lock from the one that has it: asked from another process.
    const script = `new (require('node:sqlite').DatabaseSync)(process.argv[1]).exec('select * from meta')`
    const asked = spawnSync(process.execPath, ['-e', script, file], { encoding: 'utf8' })
    assert.match(asked.stderr, /database is locked/)
    await store.close()
    await (await open(file)).close()
  })

  it('makes a file that other accounts cannot read', { skip: process.platform === 'win32' }, async () => {
    await using folder = await createFolder()
    const file = join(folder.path, 'state.sqlite')
    const store = await open(file)
    for (const path of [file, `${file}-wal`]) assert.equal((await stat(path)).mode & 0o077, 0, path)
    await store.close()
  })
})

async function migrateTo(database: DatabaseSync, to: number): Promise<void> {
  const connection = createSqliteConnection(database)
  const db = createSqliteBuilders(connection).kysely<MigratedTables>({
    provideConnection: (consumer) => consumer(connection),
  })
  await migrate(db, { flavor: 'sqlite', file: 'test', atomically: (body) => body(), to })
}

/** A row in every table, made of the columns' own types, so that tables yet to come are tested as well. */
function fillTables(database: DatabaseSync): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { name } of database.prepare("select name from sqlite_schema where type = 'table'").all()) {
    const table = String(name)
    if (table.startsWith('sqlite_') || table === 'meta') continue
    const columns = database.prepare(`pragma table_info("${table}")`).all()
    const names = columns.map((column) => `"${column.name}"`).join(', ')
    const values = columns.map((column) => (column.type === 'text' ? 'text' : 7))
    const marks = values.map(() => '?').join(', ')
    database.prepare(`insert into "${table}" (${names}) values (${marks})`).run(...values)
    counts.set(table, 1)
  }
  return counts
}

function schemaOf(database: DatabaseSync): unknown[] {
  return database.prepare('select type, name, tbl_name, sql from sqlite_schema order by type, name').all()
}

function open(file: string) {
  return openSqliteStore({ file, clock: createFakeClock(), log: createMemoryLog() })
}

async function refused(file: string, code: string, message: RegExp): Promise<void> {
  await assert.rejects(open(file), (error: CiError) => {
    assert.ok(hasCode(error, code), String(error))
    assert.match(error.message, message)
    assert.ok(error.message.includes(`"${file}"`))
    return true
  })
}
