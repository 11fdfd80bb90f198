import {
  type ConnectionProvider,
  DefaultQueryExecutor,
  type Dialect,
  Kysely,
  type KyselyProps,
  Transaction,
} from 'kysely'

/** Query builders of one dialect over connections that the caller hands out. */
export interface QueryBuilders {
  /** One whose queries get their connection from `provider`, who decides when. */
  kysely<T>(provider: ConnectionProvider): Kysely<T>
  /** The same for a transaction that the caller begins and ends. */
  transaction<T>(provider: ConnectionProvider): Transaction<T>
}

export function createQueryBuilders(dialect: Dialect): QueryBuilders {
  const driver = dialect.createDriver()
  const compiler = dialect.createQueryCompiler()
  const adapter = dialect.createAdapter()
  const props = (provider: ConnectionProvider): KyselyProps => {
    const executor = new DefaultQueryExecutor(compiler, adapter, provider)
    return { config: { dialect }, dialect, driver, executor }
  }
  return {
    kysely: <T>(provider: ConnectionProvider) => new Kysely<T>(props(provider)),
    transaction: <T>(provider: ConnectionProvider) => new Transaction<T>(props(provider)),
  }
}
