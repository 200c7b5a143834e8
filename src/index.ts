import { createFetch } from './create-fetch.ts'
import type { SteadFetch } from './types/options.ts'

/** A fetch with the default policies; see {@link createFetch} for one of your own. */
export const fetch: SteadFetch = /* @__PURE__ */ createFetch()

export type { Clock } from './clock.ts'
export { createFetch } from './create-fetch.ts'
export { type DeadlineOptions, remainingMs, withDeadline } from './deadline.ts'
export { BodyError, type BodyFailure } from './errors/body-error.ts'
export {
  isNetworkError,
  isRefusedError,
  isTimeoutError,
  NetworkError,
  type NetworkFailure,
  RedirectError,
  type RedirectFailure,
  type RefusalKind,
  RefusedError,
  type TimeLimit,
  TimeoutError,
} from './errors/failures.ts'
export {
  ClientError,
  HttpError,
  isHttpError,
  OperationFailedError,
  type Problem,
  ServerError,
  UnexpectedStatusError,
} from './errors/http-error.ts'
export {
  BadGatewayError,
  BadRequestError,
  ConflictError,
  ContentTooLargeError,
  ExpectationFailedError,
  FailedDependencyError,
  ForbiddenError,
  GatewayTimeoutError,
  GoneError,
  HttpVersionNotSupportedError,
  InsufficientStorageError,
  InternalServerError,
  LengthRequiredError,
  LockedError,
  LoopDetectedError,
  MethodNotAllowedError,
  MisdirectedRequestError,
  NetworkAuthenticationRequiredError,
  NotAcceptableError,
  NotExtendedError,
  NotFoundError,
  NotImplementedError,
  PaymentRequiredError,
  PreconditionFailedError,
  PreconditionRequiredError,
  ProxyAuthenticationRequiredError,
  RangeNotSatisfiableError,
  RequestHeaderFieldsTooLargeError,
  RequestTimeoutError,
  ServiceUnavailableError,
  TooEarlyError,
  TooManyRequestsError,
  UnauthorizedError,
  UnavailableForLegalReasonsError,
  UnprocessableContentError,
  UnsupportedMediaTypeError,
  UpgradeRequiredError,
  UriTooLongError,
  VariantAlsoNegotiatesError,
} from './errors/status-errors.ts'
export { SteadfetchError, type SteadfetchErrorLike } from './errors/steadfetch-error.ts'
export { eventNames } from './events.ts'
export { type Explanation, explain } from './explain.ts'
export { toCurl } from './har/curl.ts'
export { recordHar } from './har/recorder.ts'
export { parseChallenges } from './http/challenges.ts'
export { linksOf } from './http/link.ts'
export type { PolicySource } from './policy/classify.ts'
export { accept, fail, fallback, follow, pause, poll, refresh, retry } from './policy/policies.ts'
export { publicOnly } from './policy/public-only.ts'
export { fetchStandard } from './standard.ts'
export { traceOf } from './traces.ts'
export type { CacheKey, CacheOptions, CacheStore, CacheValue, StoredContent, StoredResponse } from './types/cache.ts'
export type { CallOptions, FieldsInit } from './types/call-options.ts'
export type { CoalesceOptions } from './types/coalesce.ts'
export type {
  Challenge,
  CookieJar,
  CredentialsSource,
  RefreshInput,
  RefreshOptions,
  RefreshPolicy,
} from './types/credentials.ts'
export type { EventMap, EventName, EventOf, EventOfCall, Unsubscribe } from './types/events.ts'
export type {
  Har,
  HarContent,
  HarCookie,
  HarEntry,
  HarLog,
  HarOptions,
  HarPair,
  HarPostData,
  HarRecorder,
  HarRequest,
  HarResponse,
  HarTimings,
} from './types/har.ts'
export type { HealthOptions, OriginHealth } from './types/health.ts'
export type { Link } from './types/link.ts'
export type { ClientOptions, SteadFetch, SteadInit } from './types/options.ts'
export type {
  AcceptPolicy,
  FailPolicy,
  FailureInput,
  FailureKey,
  FallbackPolicy,
  FollowOptions,
  FollowPolicy,
  PauseOptions,
  PausePolicy,
  Policy,
  PolicyEntry,
  PolicyFunction,
  PolicyInput,
  PolicyTable,
  PolicyWord,
  PollOptions,
  PollPolicy,
  Repeat,
  ResponseInput,
  RetryOptions,
  RetryPolicy,
  StatusClass,
  Substitute,
} from './types/policy.ts'
export type { DownloadProgress, UploadProgress } from './types/progress.ts'
export type {
  BreakerChange,
  BreakerControl,
  BreakerOptions,
  BreakerState,
  ConcurrencyOptions,
  EndpointsOptions,
  HedgeOptions,
  RateLimitOptions,
  RetryBudgetOptions,
  ThrottleOptions,
} from './types/protection.ts'
export type { RedactOptions } from './types/redact.ts'
export type { ResumeOptions } from './types/resume.ts'
export type { SchemaIssue, SchemaOutput, SchemaResult, SchemaTable, StandardSchema, TypedResponse } from './types/schema.ts'
export type { TargetFunction, TargetInput, TargetOptions, TargetRule, TargetSet } from './types/targets.ts'
export type { AttemptTrace, RedirectTrace, RefusalReason, RequestFacts, Trace, WaitReason } from './types/trace.ts'
export type {
  ConnectOptions,
  Connector,
  ConnectorCallback,
  ConnectTarget,
  DispatcherLike,
  Information,
  Transport,
  TransportInit,
} from './types/transport.ts'
export type { Upgraded, UpgradeInit } from './types/upgrade.ts'
