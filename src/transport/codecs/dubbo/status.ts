/** Status bytes of Dubbo2 answers (apache/dubbo Response). */
export const DubboStatus = {
  ok: 20,
  serializationError: 25,
  clientTimeout: 30,
  serverTimeout: 31,
  channelInactive: 35,
  badRequest: 40,
  badResponse: 50,
  serviceNotFound: 60,
  serviceError: 70,
  serverError: 80,
  clientError: 90,
  threadPoolExhausted: 100,
} as const;

const httpStatusOf: Readonly<Record<number, number>> = {
  20: 200,
  25: 500,
  30: 504,
  31: 504,
  35: 502,
  40: 400,
  50: 502,
  60: 404,
  // Also what a Java provider says of a method that it does not have.
  70: 500,
  80: 500,
  90: 500,
  100: 503,
};

const dubboStatusOf: Readonly<Record<number, number>> = {
  200: DubboStatus.ok,
  401: DubboStatus.serviceError,
  403: DubboStatus.serviceError,
  404: DubboStatus.serviceNotFound,
  408: DubboStatus.serverTimeout,
  // A consumer may try another provider, which it does not for a bad request.
  429: DubboStatus.threadPoolExhausted,
  502: DubboStatus.channelInactive,
  503: DubboStatus.threadPoolExhausted,
  504: DubboStatus.serverTimeout,
};

/** In HTTP's scale; 500 for a status that Dubbo does not define. */
export function toHttpStatus(dubboStatus: number): number {
  return httpStatusOf[dubboStatus] ?? 500;
}

/** The Dubbo status that a local or foreign answer with this HTTP status becomes. */
export function toDubboStatus(httpStatus: number): number {
  const own = dubboStatusOf[httpStatus];
  if (own !== undefined) return own;
  if (httpStatus < 300) return DubboStatus.ok;
  return httpStatus < 500 ? DubboStatus.badRequest : DubboStatus.serverError;
}
