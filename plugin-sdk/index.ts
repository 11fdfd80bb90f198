/** All a plugin may know: types and pure helpers, no state, no I/O. */
export type { ActionName, AuditView, GuardedAction } from './action.ts'

export { type Author, parseAuthor } from './author.ts'
export { type Branches, branchTest } from './branches.ts'
export { isCertificate } from './certificate.ts'
export {
  BUILD_NEWS,
  type BuildNews,
  CHAT_NEWS,
  type Chat,
  type ChatAnswer,
  type ChatCall,
  type ChatCommand,
  type ChatFilter,
  type ChatMessage,
  type ChatNews,
  type ChatPlace,
  type ChatSpeaker,
} from './chat.ts'
export { failureKind, nameOf, newsOfBuild, newsOfStart, verdict } from './chat-line.ts'
export type { Clock, Log, LogFields, Random } from './clock.ts'
export type { Command, CommandId, CommandIo, CommandResult, ShellCommandSpec, Stream } from './command.ts'
export {
  type AccessOptions,
  type Builder,
  type BuilderOptions,
  type BuildFactory,
  builder,
  buildFactory,
  type ChooseSteps,
  defineMaster,
  type HttpOptions,
  type LatentOptions,
  type MasterConfig,
  type MasterOptions,
  type OutboxOptions,
  type Retention,
  type Slave,
  type SlaveOptions,
  type StoreOptions,
  slave,
} from './config.ts'
export { DEPRECATIONS, type Deprecations, heedDeprecations } from './deprecations.ts'
export type { Doctor, Finding } from './doctor.ts'
export { type Duration, durationMs, formatDuration } from './duration.ts'
export { CiError, type CiErrorFields, hasCode, isRefusal, messageOf } from './errors.ts'
export type {
  ActionJudged,
  BuildFinished,
  BuildStarted,
  BuildsetCreated,
  BuildsetDoomed,
  BuildsetFinished,
  ChangeAccepted,
  ConfigApplied,
  ConfigRejected,
  EventBase,
  LogAppended,
  RequestCancelled,
  RequestQueued,
  SlaveBack,
  SlaveConnected,
  SlaveLost,
  SlaveMissing,
  SourceFailing,
  StepFinished,
  StepStarted,
} from './events.ts'
export { checkForm, type FormField, type FormValues } from './force-form.ts'
export {
  type ChooseHook,
  type GuardHook,
  HOOK_KINDS,
  type HookEvent,
  type HookKind,
  type HookName,
  type Hooks,
  type HookValue,
  type ObserveHook,
  type RefineHook,
  type RequestChoice,
  type SlaveChoice,
  type StoredHook,
  type Tap,
  type TapContext,
  type TapOptions,
} from './hooks.ts'
export type {
  BuildsetSubmitted,
  CancelOrder,
  ForceOrder,
  FormOrder,
  Host,
  PersonsOrder,
  Query,
  RebuildOrder,
  Secrets,
  SharedContext,
  SlaveOrder,
  State,
  StopOrder,
  Submitted,
} from './host.ts'
export {
  createHttpRequest,
  type HttpAnswer,
  type HttpEvent,
  type HttpHandler,
  type HttpMethod,
  type HttpPower,
  type HttpRequest,
  type HttpRequestFacts,
  type HttpRouteOptions,
} from './http.ts'
export { deepFreeze, isJson, type Json } from './json.ts'
export type { InstanceKey, InstanceSpec, LatentEngine } from './latent.ts'
export type { LockUser, LockView } from './lock-view.ts'
export { type Lock, type LockAccess, masterLock, slaveLock } from './locks.ts'
export type { LogPart, LogPlace, LogView } from './log-view.ts'
export type {
  BuilderView,
  BuildId,
  BuildsetId,
  BuildsetInput,
  BuildsetView,
  BuildView,
  Change,
  ChangeId,
  ChangeInput,
  EventId,
  Patch,
  PropertyEntry,
  PropertyMap,
  RequestId,
  RequestView,
  SchedulerView,
  SlaveView,
  SourceStamp,
  StepView,
  WhyNot,
} from './model.ts'
export { type HostWith, type Limits, limitHost, NEEDS, type Need } from './needs.ts'
export type {
  Attachment,
  Carrier,
  Delivery,
  Handover,
  Notice,
  Notified,
  Recipient,
  Urgency,
} from './notify.ts'
export { originOf, withOrigin } from './origin.ts'
export { hashPassword, isPassword, isPasswordHash } from './password.ts'
export { type PastBuild, pastBuild } from './past-build.ts'
export { patchBytes, patchOf } from './patch.ts'
export type {
  InterestedPerson,
  InterestingBuild,
  InterestReason,
  LookedUpPerson,
  LookUpPerson,
  People,
  PeopleOptions,
  PersonOptions,
  SheriffOptions,
  SubscribedBy,
} from './people.ts'
export {
  API,
  type Claim,
  definePlugin,
  definitionOf,
  type InstanceOptions,
  type Isolation,
  OLDEST_API,
  type Onlooker,
  type PluginDefinition,
  type PluginFactory,
  type PluginInstance,
  type PluginKind,
} from './plugin.ts'
export type { Poller, PollerView } from './poller.ts'
export { privateNews } from './private-news.ts'
export type { BranchView, Eta, StepExpectation } from './progress.ts'
export type {
  MergeRequests,
  NextBuild,
  NextSlave,
  PrioritizeBuilders,
  QueuedRequest,
  WaitingBuilder,
} from './queue-choices.ts'
export {
  type Interpolation,
  interpolate,
  isSecretRef,
  type Renderable,
  render,
  type SecretRef,
  secret,
  secretsIn,
  withProperties,
} from './render.ts'
export { repositoryKey } from './repository-key.ts'
export { isGood, RESULTS, type Result, worst } from './results.ts'
export type { Decision, SchedulerBuildset, SchedulerInput, SchedulerRules, Wanted } from './scheduler.ts'
export type { Schema, SchemaIssue, SchemaResult } from './schema.ts'
export type {
  HeldCommand,
  ResumeCheck,
  SlaveBuilder,
  SlaveConnection,
  SlaveDoor,
  SlaveInfo,
} from './slave-transport.ts'
export type { Stage, StagedIrcEvents, StagedIrcLink, StagedMail } from './stage.ts'
export {
  type BuildInfo,
  defineStep,
  type RunOptions,
  type Step,
  type StepContext,
  type StepDefinition,
  type StepFactory,
  type StepFlags,
  type StepInfo,
  type StepOutcome,
  type Triggered,
  type TriggerOrder,
} from './step.ts'
export { listNames, suggest } from './suggest.ts'
