import { PgherdError } from '../../../lib/errors.ts';
import { parsedJson } from './parsedJson.ts';

/** What was asked of the API server, for sentences: "patch statefulsets school/demo". */
export interface ApiRequest {
  verb: string;
  resource: string;
  namespace: string | undefined;
  name: string | undefined;
}

/** The API server answered with an error. `status` is the HTTP status, `reason` the server's own word for it. */
export class ApiError extends PgherdError {
  readonly status: number;
  readonly reason: string;

  constructor(
    facts: { code: string; message: string; detail?: string; hint?: string; cause?: unknown },
    status: number,
    reason: string,
  ) {
    super(facts);
    this.status = status;
    this.reason = reason;
  }
}

/** No answer: the API server is away, or the way to it. */
export class ApiUnreachableError extends PgherdError {}

/** 401: the credentials are not accepted. */
export class ApiUnauthorizedError extends ApiError {}

/** 403: the role lacks this verb on this resource; the message names both. */
export class ApiForbiddenError extends ApiError {}

/** 409: the object was changed meanwhile, or exists already. */
export class ApiConflictError extends ApiError {}

/** 422 and 400: the API server refuses the object; `detail` names the fields. */
export class ApiInvalidError extends ApiError {}

/** 410: the resource version is too old to watch from: list anew. */
export class ApiGoneError extends ApiError {}

export class ApiNotFoundError extends ApiError {}

interface StatusBody {
  message?: string;
  reason?: string;
  details?: { causes?: { field?: string; message?: string }[]; retryAfterSeconds?: number };
}

/** The error for an HTTP answer; the status decides, never the text. */
export function errorOf(request: ApiRequest, status: number, body: string): ApiError {
  const parsed = parseStatus(body);
  const reason = parsed.reason ?? '';
  const place = request.namespace === undefined ? 'in all namespaces' : `in namespace ${request.namespace}`;
  const what = `${request.verb} ${request.resource}${request.name === undefined ? '' : ` ${request.name}`} ${place}`;
  const detail = parsed.message ?? body.slice(0, 500);
  switch (status) {
    case 401:
      return new ApiUnauthorizedError(
        {
          code: 'kubernetes-unauthorized',
          message: 'the API server does not accept the credentials',
          detail,
          hint: 'check the kubeconfig, or the ServiceAccount the pod runs as',
        },
        status,
        reason,
      );
    case 403:
      return new ApiForbiddenError(
        {
          code: 'kubernetes-forbidden',
          message: `not allowed to ${what}`,
          detail,
          hint: `the role needs the verb "${request.verb}" on "${request.resource}"`,
        },
        status,
        reason,
      );
    case 404:
      return new ApiNotFoundError(
        { code: 'kubernetes-not-found', message: `nothing there to ${what}`, detail },
        status,
        reason,
      );
    case 409:
      return new ApiConflictError(
        { code: 'kubernetes-conflict', message: `somebody else was faster: cannot ${what}`, detail },
        status,
        reason,
      );
    case 410:
      return new ApiGoneError(
        { code: 'kubernetes-gone', message: `too old to continue: ${what}`, detail },
        status,
        reason,
      );
    case 400:
    case 422: {
      const causes = (parsed.details?.causes ?? []).map(
        cause => `${cause.field ?? ''}: ${cause.message ?? ''}`,
      );
      return new ApiInvalidError(
        {
          code: 'kubernetes-invalid',
          message: `the API server refuses to ${what}`,
          detail: causes.length > 0 ? causes.join('\n') : detail,
        },
        status,
        reason,
      );
    }
    default:
      return new ApiError(
        { code: 'kubernetes-error', message: `the API server failed to ${what} (HTTP ${status})`, detail },
        status,
        reason,
      );
  }
}

function parseStatus(body: string): StatusBody {
  const parsed = parsedJson(body);
  return typeof parsed === 'object' && parsed !== null ? (parsed as StatusBody) : {};
}
