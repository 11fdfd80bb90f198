import type { Generated, Insertable, Selectable } from 'kysely'

/**
 * The tables, as rows. Times are integer milliseconds, JSON is text, booleans are 0 and 1. Only `core/store/` sees rows;
 * each file maps its own to the types of the SDK.
 */
export interface Tables {
  /** Facts about the store itself: `master` (id of this master). */
  meta: { key: string; value: string }
  /** Every stored event, in order; ids grow and are never reused. */
  journal: { id: Generated<number>; at: number; name: string; payload: string }
  /** How far each durable plugin has read the journal. */
  cursors: { plugin: string; event_id: number }
  changes: ChangeTable
  /** State of each scheduler and how far it has read the journal; the version grows with each decision. */
  schedulers: {
    name: string
    version: number
    state: string
    event_id: number
    wake_at: number | null
    waiting: string | null
  }
  buildsets: BuildsetTable
  requests: RequestTable
  builds: BuildTable
  steps: StepTable
  /** Which builds a change is in. */
  build_changes: { change_id: number; build_id: number }
  /** Next build number and the denormalised last results of a builder. */
  builders: {
    name: string
    next_number: number
    last_number: number | null
    last_result: string | null
    /** How long its steps took in its last good builds: `{ compile: [ms, …] }`, JSON. */
    step_times: string | null
  }
  /** Last finished build of a builder and branch ('' is the default branch). */
  branch_results: { builder: string; branch: string; number: number; result: string; last_success: number | null }
  /** Who holds which lock; deleted when released. */
  lock_holds: { build_id: number; step: number; lock: string; slave: string; mode: string }
  /** Why the request at the head of a builder's queue waits; those behind it wait for it. */
  why_nots: { builder: string; code: string; text: string; at: number }
  slaves: SlaveTable
  /** Who wants to be told of what: kind builder or branch; by mail or irc; events: JSON, null as that way has it. */
  subscriptions: { who: string; kind: string; name: string; by: string; created_at: number; events: string | null }
  /** Whom the chat bot is to tell of a request, in which place; `told_build`: of the start of that build they know. */
  followers: { id: Generated<number>; place: string; name: string; request_id: number; told_build: number | null }
  /** Whose an account elsewhere is, proved by a code: `account:jane@libera`. */
  identities: { identity: string; who: string; proved_at: number }
  identity_codes: IdentityCodeTable
  /** What is known of the instance of each latent slave. */
  instances: InstanceTable
  audits: AuditTable
  /** What is told; its recipients are in `outbox`. Body: JSON of text, html, attachments and extra. */
  outbox_messages: {
    id: Generated<number>
    source: string
    key: string
    subject: string
    body: string
    thread: string | null
    urgency: string
    created_at: number
  }
  outbox: OutboxTable
  /** How each poller fared last. */
  pollers: { source: string; polled_at: number; good_at: number | null; failures: number; error: string | null }
  plugin_state: { plugin: string; key: string; value: string }
}

export interface ChangeTable {
  id: Generated<number>
  /** Unique: two changes with one key are one. Null: never a duplicate. */
  dedupe_key: string | null
  who: string
  files: string
  comments: string
  branch: string | null
  revision: string | null
  repository: string
  project: string
  codebase: string
  category: string | null
  revlink: string | null
  links: string
  properties: string
  committed_at: number
  accepted_at: number
  source: string
}

export interface SlaveTable {
  name: string
  admin: string | null
  host: string | null
  version: string | null
  peer: string | null
  connected_at: number | null
  lost_at: number | null
  /** Last sign of life, as of when this was last written. */
  last_heard: number | null
  /** The missing clock: since when it should be here and is not; null: it is here, or is not expected. */
  absent_since: number | null
  /** When `slaveMissing` was told; null: not yet. */
  missing_at: number | null
  /** Builds it had when it was lost, JSON. */
  running: string | null
  paused_at: number | null
  paused_by: string | null
  paused_reason: string | null
  /** A planned absence. */
  away_until: number | null
  away_by: string | null
  away_reason: string | null
  /** It finishes what it runs and then exits: why; null: it does not. */
  leaving_why: string | null
  /** Which program of it was asked to, when it can be told from others. */
  leaving_agent: string | null
}

export interface InstanceTable {
  slave: string
  /** Plugin id. */
  engine: string
  /** Of the present instance, or the last one; grows with each. */
  epoch: number
  /** The request it was first started for. */
  request_id: number
  /** submitting, started, ending, none. */
  state: string
  /** What its agent logs in with. */
  password: string
  /** When it was ordered. */
  since: number
  /** Failures in a row, and until when none is tried. */
  failures: number
  not_before: number
}

export interface BuildsetTable {
  id: Generated<number>
  reason: string
  scheduler: string | null
  owner: string | null
  source_stamp: string
  properties: string
  submitted_at: number
  finished_at: number | null
  result: string | null
  /** Requests not finished yet. */
  pending: number
  /** Unique: asked for twice it is one. Null: never. */
  dedupe_key: string | null
  /** 1 once `buildsetDoomed` was told. */
  doomed: number
  /** The tree-stable timer of its scheduler, ms. */
  stable_ms: number | null
  /** What who asked calls it. */
  external_id: string | null
}

export interface RequestTable {
  id: Generated<number>
  buildset_id: number
  builder: string
  priority: number
  /** 1: its build was interrupted; it goes before all others of its priority. */
  front: number
  submitted_at: number
  /** Not to be started before; 0: at once. */
  not_before: number
  /** Waiting requests of one builder with equal keys may be built together; null: never. */
  merge_key: string | null
  /** waiting, claimed, finished. */
  state: string
  /** Which master claimed it. */
  owner: string | null
  /** Grows by one with each claim. */
  epoch: number
  /** Times its build was interrupted by a lost slave. */
  losses: number
  /** The build of the last claim. */
  build_id: number | null
  /** The slave of the last claim. */
  last_slave: string | null
  result: string | null
  finished_at: number | null
}

export interface BuildTable {
  id: Generated<number>
  builder: string
  number: number
  /** Ids of its requests, JSON. */
  requests: string
  slave: string
  owner: string
  epoch: number
  lease_until: number
  /** running, finished. */
  state: string
  reason: string
  source_stamp: string
  branch: string
  properties: string
  config_hash: string
  started_at: number
  finished_at: number | null
  result: string | null
  text: string
  /** Its steps, when they are not just those of its builder: JSON, see step-plans.ts. */
  plan: string | null
  /** The slave program that keeps its commands over broken links, so that it can go on after a restart; null: they die with the link. */
  agent: string | null
  /** Who stopped it and why, `{ who, reason }` as JSON; null: nobody. */
  stopping: string | null
}

/** One recipient of a message. */
export interface OutboxTable {
  id: Generated<number>
  message_id: number
  /** Plugin, key and recipient (`person:jane`, `mail:jane@example.org`) are unique together. */
  source: string
  key: string
  recipient: string
  /** The scheme it goes by now, and those to be tried after it, JSON. */
  scheme: string
  via: string
  thread: string | null
  /** waiting, sending, sent, dead, dropped, digested. */
  state: string
  attempts: number
  /** Not to be tried before; 0: at once. */
  not_before: number
  /** The address it was last tried at. */
  address: string | null
  /** 1: held back by the budget of its recipient. */
  held: number
  /** How often it was in hand when somebody died. */
  in_doubt: number
  /** The one that brings it, when it was put into a digest. */
  digest_id: number | null
  is_digest: number
  error: string | null
  created_at: number
  tried_at: number | null
  finished_at: number | null
}

export interface StepTable {
  build_id: number
  number: number
  name: string
  text: string
  started_at: number
  finished_at: number | null
  result: string | null
  /** `[{ name, bytes }]`, JSON; set when the step ends. */
  logs: string
  /** Properties that it set, JSON; written when it ends. Null: none. */
  properties: string | null
}

/** A code that was mailed to the address of a person, for an account that says it is theirs. */
export interface IdentityCodeTable {
  id: Generated<number>
  identity: string
  who: string
  /** Of the code. */
  digest: string
  /** Wrong ones that were tried. */
  attempts: number
  created_at: number
  expires_at: number
}

/** An act somebody asked for. */
export interface AuditTable {
  id: Generated<number>
  at: number
  action: string
  who: string
  via: string
  /** What was known of them, JSON; null: the way in belongs to the master's user. */
  proofs: string | null
  /** Builder, build, request, slave: JSON. */
  subject: string
  reason: string | null
  /** Why not; null: it was allowed. */
  refusal: string | null
}

export type Row<Table extends keyof Tables> = Selectable<Tables[Table]>
export type NewRow<Table extends keyof Tables> = Insertable<Tables[Table]>
