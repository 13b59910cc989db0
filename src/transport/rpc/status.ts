import type { RpcProtocol } from './call.ts';

/** SOFABolt's ResponseStatus. */
const bolt: Readonly<Record<number, string>> = {
  0: 'SUCCESS',
  1: 'ERROR',
  2: 'SERVER_EXCEPTION',
  3: 'UNKNOWN',
  4: 'SERVER_THREADPOOL_BUSY',
  5: 'ERROR_COMM',
  6: 'NO_PROCESSOR',
  7: 'TIMEOUT',
  8: 'CLIENT_SEND_ERROR',
  9: 'CODEC_EXCEPTION',
  16: 'CONNECTION_CLOSED',
  17: 'SERVER_SERIAL_EXCEPTION',
  18: 'SERVER_DESERIAL_EXCEPTION',
};

/** Dubbo's Response. */
const dubbo: Readonly<Record<number, string>> = {
  20: 'OK',
  25: 'SERIALIZATION_ERROR',
  30: 'CLIENT_TIMEOUT',
  31: 'SERVER_TIMEOUT',
  35: 'CHANNEL_INACTIVE',
  40: 'BAD_REQUEST',
  50: 'BAD_RESPONSE',
  60: 'SERVICE_NOT_FOUND',
  70: 'SERVICE_ERROR',
  80: 'SERVER_ERROR',
  90: 'CLIENT_ERROR',
  100: 'SERVER_THREADPOOL_EXHAUSTED_ERROR',
};

/** A status in the words of its protocol. */
export function statusNameOf(protocol: RpcProtocol, status: number): string {
  return (protocol === 'bolt' ? bolt : dubbo)[status] ?? `status ${status}`;
}
