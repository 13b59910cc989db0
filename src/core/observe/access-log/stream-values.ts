import { factsOf } from '../../base/codes.ts';
import { rpcMethodOf, rpcServiceOf } from '../../base/grpc-head.ts';
import type { Stream } from '../../contract/stream.ts';
import { isoTime, TimeFormat } from './time-format.ts';
import { elapsed, maxValueBytes, numberValue, textValue, type Value } from './values.ts';

const http10 = Buffer.from('HTTP/1.0');
const http11 = Buffer.from('HTTP/1.1');
const http2 = Buffer.from('HTTP/2');

/** The values that Envoy's operators and MOSN's variables have in common. */
export const requestBytes: Value = {
  kind: 'number',
  // The four numbers of nearly every format write themselves: a reader each would cost another indirect call.
  write(out, s) {
    out.integer(s.requestBytes);
    return true;
  },
};
export const responseBytes: Value = {
  kind: 'number',
  write(out, s) {
    out.integer(s.responseBytes);
    return true;
  },
};
export const status: Value = {
  kind: 'number',
  write(out, s) {
    out.integer(s.res.status);
    return true;
  },
};
export const duration: Value = {
  kind: 'number',
  write(out, s) {
    if (s.endMs === 0) return false;
    out.integer(s.endMs - s.startMs);
    return true;
  },
};
export const requestDuration = numberValue((s) => elapsed(s.startMs, s.requestDoneMs));
export const firstByteDuration = numberValue((s) => elapsed(s.startMs, s.firstByteMs));
export const sendingDuration = numberValue((s) => elapsed(s.firstByteMs, s.endMs));
export const tries = numberValue((s) => s.tries);
export const streamId = numberValue((s) => s.serial);
export const requestHeadBytes = numberValue((s) => s.req.end - s.req.start);
export const responseHeadBytes = numberValue((s) => s.res.end - s.res.start);
export const peerPort = numberValue((s) => s.peer?.port ?? -1);

export const clusterName = textValue((s) => s.cluster?.name);
export const routeName = textValue((s) => s.route?.name);
export const virtualHostName = textValue((s) => s.route?.virtualHost);
export const listenerName = textValue((s) => s.pipeline?.name);
export const traceId = textValue((s) => s.traceId);
export const spanId = textValue((s) => s.spanId);
export const requestId = textValue((s) => s.requestId);
export const spiffeId = textValue((s) => s.peer?.spiffeId);
export const certificate = textValue((s) => s.peer?.certificateSha256);
export const serverName = textValue((s) => s.peer?.serverName);
export const peerAddress = textValue((s) => s.peer?.address);
export const service = textValue((s) => rpcServiceOf(s.req));
export const rpcMethod = textValue((s) => rpcMethodOf(s.req));

export const protocol: Value = {
  kind: 'text',
  write(out, s) {
    if (s.protocol === 'http1') out.literal(s.req.minor === 0 ? http10 : http11);
    else if (s.protocol === 'http2') out.literal(http2);
    else if (s.protocol === '') return false;
    else out.text(s.protocol);
    return true;
  },
};

/** Flags that filters added, then the one of the code it ended with. */
export const responseFlags: Value = {
  kind: 'text',
  write(out, s) {
    const own = s.code === 0 ? '-' : factsOf(s.code).flag;
    if (s.flags === '' && own === '-') return false;
    out.text(s.flags);
    if (own === '-') return true;
    if (s.flags !== '') out.text(',');
    out.text(own);
    return true;
  },
};

/** Where the answer came from: the reason's name, or `via_upstream`, or `direct_response`. */
export const responseDetails = textValue((s) => {
  if (s.code !== 0) return factsOf(s.code).name;
  if (s.res.status === 0) return null;
  return s.host !== null && !s.isLocalReply ? 'via_upstream' : 'direct_response';
});

export const upstreamHost: Value = {
  kind: 'text',
  write(out, s) {
    const label = s.host?.label;
    if (label === undefined || label.length === 0) return false;
    out.value(label, 0, Math.min(label.length, maxValueBytes));
    return true;
  },
};

/** gRPC's own status: a trailer, or a header of an answer that is nothing but trailers. */
export const grpcStatus = numberValue((s) => {
  const text = s.responseTrailers?.get('grpc-status') ?? s.res.get('grpc-status');
  return text === null || !/^\d{1,3}$/.test(text) ? -1 : Number(text);
});

/** Set by the filter forwarded-headers when trusted proxies stand in between; the address that decides is this one. */
export const clientAddressKey = 'client_address';

/** Who the request comes from: what trusted proxies said, else the connection's other end. */
export const client = textValue((s) => s.metadata.get(clientAddressKey) ?? s.peer?.address);

export const clientWithPort: Value = {
  kind: 'text',
  write(out, s) {
    const told = s.metadata.get(clientAddressKey);
    if (told === undefined) return peerWithPort.write(out, s);
    out.text(told);
    return true;
  },
};

/** Address and port of the connection's other end. */
export const peerWithPort: Value = {
  kind: 'text',
  write(out, s) {
    const peer = s.peer;
    if (peer === null) return false;
    const isV6 = peer.address.includes(':');
    if (isV6) out.text('[');
    out.text(peer.address);
    if (isV6) out.text(']');
    if (peer.port <= 0) return true;
    out.text(':');
    out.text(String(peer.port));
    return true;
  },
};

export function metadataValue(key: string): Value {
  return textValue((s) => s.metadata.get(key));
}

/** A time of its own cache. @param format strftime; "" = ISO 8601 with milliseconds, UTC */
export function startTime(format: string): Value {
  const time = new TimeFormat(format === '' ? isoTime : format);
  return {
    kind: 'text',
    write(out, s) {
      if (s.startWallMs === 0) return false;
      time.write(out, s.startWallMs);
      return true;
    },
  };
}

/** Milliseconds with three decimals and their unit, `1.250ms`, as MOSN's durations read. */
export function durationText(read: (s: Stream) => number): Value {
  return textValue((s) => {
    const ms = read(s);
    return ms < 0 ? null : `${ms.toFixed(3)}ms`;
  });
}
