import type {
  BuildFinished,
  BuildStarted,
  BuildsetFinished,
  LogAppended,
  RequestCancelled,
  StepFinished,
  StepStarted,
} from 'boltbot/plugin-sdk'

/** What happens, for those who are told. */
export interface StatusEvents {
  buildStarted(event: BuildStarted): void
  stepStarted(event: StepStarted): void
  logAppended(event: LogAppended): void
  stepFinished(event: StepFinished): void
  buildFinished(event: BuildFinished): void
  buildsetFinished(event: BuildsetFinished): void
  requestCancelled(event: RequestCancelled): void
  /** Builders may be others, or in another state. */
  buildersChanged(): void
}
