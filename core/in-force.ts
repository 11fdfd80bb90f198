import type { Config } from './config/model.ts'
import type { PeopleBook } from './people/people.ts'

/** The config that is in force, and what is read from it by everybody. */
export interface InForce {
  config(): Config
  people(): PeopleBook
  /** Those a scheduler may name: during a change of configs schedulers of both decide, and each knows its own builders. */
  askable(): Config['builders']
  /** Puts another config in force; builders of the one before stay askable until it has come to an end. */
  begin(next: Config): { undo(): void; end(): void }
}

export function createInForce(first: Config, peopleOf: (config: Config) => PeopleBook): InForce {
  let config = first
  let people = peopleOf(first)
  let askable = first.builders
  return {
    config: () => config,
    people: () => people,
    askable: () => askable,
    begin(next) {
      const before = { config, people }
      config = next
      people = peopleOf(next)
      askable = new Map([...before.config.builders, ...next.builders])
      return {
        undo() {
          config = before.config
          people = before.people
        },
        end() {
          askable = config.builders
        },
      }
    },
  }
}
