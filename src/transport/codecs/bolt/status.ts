/** Response statuses of SOFA Bolt (ResponseStatus.java); there are none between 9 and 0x10. */
const BoltStatus = {
  success: 0,
  error: 1,
  serverException: 2,
  unknown: 3,
  serverThreadpoolBusy: 4,
  errorComm: 5,
  noProcessor: 6,
  timeout: 7,
  clientSendError: 8,
  codecException: 9,
  connectionClosed: 0x10,
  serverSerialException: 0x11,
  serverDeserialException: 0x12,
} as const;

/** A status in HTTP's scale. Source: MOSN bolt/mapping.go. */
export function httpStatusOf(status: number): number {
  switch (status) {
    case BoltStatus.success:
      return 200;
    case BoltStatus.serverThreadpoolBusy:
      return 503;
    case BoltStatus.timeout:
      return 504;
    case BoltStatus.connectionClosed:
      return 502;
    default:
      return 500;
  }
}

/**
 * The status of a local answer. Source: MOSN bolt/protocol.go Mapping, but for 502: there it means no healthy host,
 * here always that a connection was lost, and "no processor" would tell the caller that nobody knows its service.
 */
export function boltStatusOf(httpStatus: number): number {
  if (httpStatus >= 200 && httpStatus < 300) return BoltStatus.success;
  switch (httpStatus) {
    case 403:
      return BoltStatus.serverException;
    case 404:
      return BoltStatus.noProcessor;
    case 502:
      return BoltStatus.connectionClosed;
    case 429:
    case 503:
      return BoltStatus.serverThreadpoolBusy;
    case 408:
    case 504:
      return BoltStatus.timeout;
    case 400:
    case 413:
    case 431:
      return BoltStatus.codecException;
    default:
      return BoltStatus.unknown;
  }
}
