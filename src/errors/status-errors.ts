import { ClientError, ServerError } from './http-error.ts'
import { linkOf, listOf } from './response-fields.ts'

// One class per registered code, named after the phrase of the registry; which code is whose stands in the status table.

/** The request is malformed, RFC 9110 §15.5.1. */
export class BadRequestError extends ClientError {}
/** Credentials are missing or refused, RFC 9110 §15.5.2. */
export class UnauthorizedError extends ClientError {}
/** Reserved; in practice a payment or a quota is due, RFC 9110 §15.5.3. */
export class PaymentRequiredError extends ClientError {}
/** The request is understood and refused, RFC 9110 §15.5.4. */
export class ForbiddenError extends ClientError {}
/** There is no current representation of the target, RFC 9110 §15.5.5. */
export class NotFoundError extends ClientError {}
/** The target does not support the method, RFC 9110 §15.5.6. */
export class MethodNotAllowedError extends ClientError {
  /** The methods the target supports (Allow, RFC 9110 §10.2.1); undefined when the server does not say. */
  get allow(): readonly string[] | undefined {
    return listOf(this.headers, 'allow')
  }
}
/** No representation suits the Accept fields, RFC 9110 §15.5.7. */
export class NotAcceptableError extends ClientError {}
/** The proxy wants credentials, RFC 9110 §15.5.8. */
export class ProxyAuthenticationRequiredError extends ClientError {}
/** The server did not get the whole request in time, RFC 9110 §15.5.9. */
export class RequestTimeoutError extends ClientError {}
/** The request conflicts with the state of the target, RFC 9110 §15.5.10. */
export class ConflictError extends ClientError {}
/** The target is gone for good, RFC 9110 §15.5.11. */
export class GoneError extends ClientError {}
/** The request needs a Content-Length, RFC 9110 §15.5.12. */
export class LengthRequiredError extends ClientError {}
/** A condition of the request is false, RFC 9110 §15.5.13. */
export class PreconditionFailedError extends ClientError {}
/** The request content is too large, RFC 9110 §15.5.14. */
export class ContentTooLargeError extends ClientError {}
/** The target is too long, RFC 9110 §15.5.15. */
export class UriTooLongError extends ClientError {}
/** The format of the request content is not supported, RFC 9110 §15.5.16. */
export class UnsupportedMediaTypeError extends ClientError {
  /** The media types it would have taken (Accept in a response, RFC 9110 §12.5.1); undefined when the server does not say. */
  get accept(): readonly string[] | undefined {
    return listOf(this.headers, 'accept')
  }

  /** The content codings it would have taken (Accept-Encoding in a response, RFC 9110 §12.5.3); undefined when the server does not say. */
  get acceptEncoding(): readonly string[] | undefined {
    return listOf(this.headers, 'accept-encoding')
  }
}
/** None of the ranges can be served, RFC 9110 §15.5.17. */
export class RangeNotSatisfiableError extends ClientError {
  /** The bytes of the whole representation (Content-Range, RFC 9110 §14.4); undefined when the server does not say. */
  get completeLength(): number | undefined {
    const length = /^bytes \*\/(\d+)$/i.exec(this.headers.get('content-range') ?? '')?.[1]
    return length === undefined ? undefined : Number(length)
  }
}
/** The Expect field cannot be met, RFC 9110 §15.5.18. */
export class ExpectationFailedError extends ClientError {}
/** This connection cannot answer for the origin, RFC 9110 §15.5.20. */
export class MisdirectedRequestError extends ClientError {}
/** The content is well formed, its instructions are not, RFC 9110 §15.5.21. */
export class UnprocessableContentError extends ClientError {}
/** The target is locked, RFC 4918 §11.3. */
export class LockedError extends ClientError {}
/** Another action this one depends on failed, RFC 4918 §11.4. */
export class FailedDependencyError extends ClientError {}
/** The request came in early data that may be replayed, RFC 8470 §5.2. */
export class TooEarlyError extends ClientError {}
/** Another protocol is needed, RFC 9110 §15.5.22. */
export class UpgradeRequiredError extends ClientError {
  /** The protocols the server would speak, the preferred one first (Upgrade, RFC 9110 §7.8); undefined when it does not say. */
  get upgrade(): readonly string[] | undefined {
    return listOf(this.headers, 'upgrade')
  }
}
/** The request must be conditional, RFC 6585 §3. */
export class PreconditionRequiredError extends ClientError {}
/** Too many requests in a given time, RFC 6585 §4. */
export class TooManyRequestsError extends ClientError {}
/** The header fields are too large, RFC 6585 §5. */
export class RequestHeaderFieldsTooLargeError extends ClientError {}
/** Access is denied by law, RFC 7725 §3. */
export class UnavailableForLegalReasonsError extends ClientError {
  /** Who blocks the access, as the server spells it (Link with rel=blocked-by, RFC 7725 §4); undefined when it does not say. */
  get blockedBy(): string | undefined {
    return linkOf(this.headers, 'blocked-by')
  }
}
/** The server met an unexpected condition, RFC 9110 §15.6.1. */
export class InternalServerError extends ServerError {}
/** The server does not know the method, RFC 9110 §15.6.2. */
export class NotImplementedError extends ServerError {}
/** The gateway got an invalid response, RFC 9110 §15.6.3. */
export class BadGatewayError extends ServerError {}
/** The server is overloaded or in maintenance, RFC 9110 §15.6.4. */
export class ServiceUnavailableError extends ServerError {}
/** The gateway got no response in time, RFC 9110 §15.6.5. */
export class GatewayTimeoutError extends ServerError {}
/** The HTTP version is not supported, RFC 9110 §15.6.6. */
export class HttpVersionNotSupportedError extends ServerError {}
/** Content negotiation is misconfigured, RFC 2295 §8.1. */
export class VariantAlsoNegotiatesError extends ServerError {}
/** The server cannot store the representation, RFC 4918 §11.5. */
export class InsufficientStorageError extends ServerError {}
/** The server met an infinite loop, RFC 5842 §7.2. */
export class LoopDetectedError extends ServerError {}
/** Further extensions are needed (obsolete), RFC 2774 §7. */
export class NotExtendedError extends ServerError {}
/** The network wants the client to sign in, RFC 6585 §6. */
export class NetworkAuthenticationRequiredError extends ServerError {}
