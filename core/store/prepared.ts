import type { Compilable, CompiledQuery, Kysely, QueryResult } from 'kysely'
import type { Tables } from './tables.ts'

/** Of lists whose texts are kept. */
const LONGEST = 20

type Value = string | number | null
type Values = Readonly<Record<string, Value | readonly Value[]>>
type ValuesOf<Given> = { readonly [Name in keyof Given]: Value | readonly Value[] }

/**
 * A query of the walk, built and put into SQL once for all its values: that takes longer than to run it. `make` is called again for
 * each other length of a list among the values, and must not look at what they are. A long list is put into SQL each time: a queue that is
 * merged has lists of all lengths, and to keep a text for each would fill the memory.
 *
 * @example
 * const numberOf = prepared((db, { id }: { id: number }) => db.selectFrom('builds').select('number').where('id', '=', id))
 * const [build] = (await numberOf(trx, { id: 3 })).rows
 */
export function prepared<Given extends ValuesOf<Given>, Row>(
  make: (db: Kysely<Tables>, values: Given) => Compilable<Row>,
): (db: Kysely<Tables>, values: Given) => Promise<QueryResult<Row>> {
  /** By dialect, and the lengths of lists. */
  const made = new WeakMap<object, Map<string, CompiledQuery<Row>>>()
  return (db, values) => {
    const executor = db.getExecutor()
    const texts = made.getOrInsertComputed(executor.adapter, () => new Map())
    const compile = () => make(db, standIns(values)).compile()
    const lengths = lengthsOf(values)
    const query = lengths === undefined ? compile() : texts.getOrInsertComputed(lengths, compile)
    const parameters = query.parameters.map((one) => (one instanceof StandIn ? one.in(values as Values) : one))
    // Not by the query builder, which would only hand it on: it has no plugins that look at rows.
    return executor.provideConnection((connection) => connection.executeQuery<Row>({ ...query, parameters }))
  }
}

/** Goes through the query builder in place of a value, and comes out among the parameters. */
class StandIn {
  readonly #name: string
  readonly #index: number | undefined

  constructor(name: string, index?: number) {
    this.#name = name
    this.#index = index
  }

  in(values: Values): Value {
    const value = values[this.#name]
    return this.#index === undefined ? (value as Value) : (value as readonly Value[])[this.#index]!
  }
}

function standIns<Given extends ValuesOf<Given>>(values: Given): Given {
  const names = Object.entries(values).map(([name, value]) => [
    name,
    Array.isArray(value) ? value.map((_, index) => new StandIn(name, index)) : new StandIn(name),
  ])
  // The query builder hands on what it does not know as it is.
  return Object.fromEntries(names) as Given
}

/** `undefined`: one is too long to keep a text for it. */
function lengthsOf(values: object): string | undefined {
  let lengths = ''
  for (const value of Object.values(values)) {
    if (!Array.isArray(value)) continue
    if (value.length > LONGEST) return undefined
    lengths += `${value.length} `
  }
  return lengths
}
