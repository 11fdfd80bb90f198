/** Why a slave cannot take a build: a code for programs, words for people. */
export interface Reason {
  readonly code: string
  readonly text: string
}
