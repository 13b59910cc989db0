import { Code } from '../../../core/base/codes.ts';
import type { HeadView } from '../../../core/base/head-view.ts';
import { type ReadContext, setRpcName } from '../framed/index.ts';
import { laterFields, readHeaderMap } from './header-map.ts';
import {
  codecOf,
  FrameType,
  fixedBytesOf,
  lengthsAt,
  readInt32,
  readUint16,
  readUint32,
  timeoutAt,
  typeOf,
} from './layout.ts';
import { methodInBody } from './method-in-body.ts';
import { httpStatusOf } from './status.ts';

const serviceKey = 'service';
const methodKey = 'sofa_head_method_name';
const targetKey = 'sofa_head_target_service';
const hessian = 1;

/** Offsets of the parts of a request; see FramedProtocol. */
export function readRequest(
  head: HeadView,
  protocol: object,
  buf: Buffer,
  start: number,
  end: number,
  { names, limits }: ReadContext,
): number {
  const type = typeOf(buf, start);
  const contentBytes = locate(head, protocol, buf, start, end, type);
  head.oneWay = type === FrameType.oneWay;
  const timeoutMs = readInt32(buf, timeoutAt(buf, start));
  head.timeoutMs = timeoutMs > 0 ? timeoutMs : 0;
  const { firstEnd, bodyStart } = head;
  if (bodyStart - firstEnd > limits.maxHeaderBytes) return Code.headersTooLarge;
  if (limits.maxBodyBytes > 0 && contentBytes > limits.maxBodyBytes) return Code.payloadTooLarge;
  const pairs = readHeaderMap(head, buf, firstEnd, bodyStart);
  if (pairs < 0) return Code.downstreamProtocol;
  if (pairs > limits.maxHeaderCount) return Code.headersTooLarge;
  return nameRequest(head, buf, contentBytes, names);
}

/** Sets everything that lengths tell. Returns the content's length. */
function locate(
  head: HeadView,
  protocol: object,
  buf: Buffer,
  start: number,
  end: number,
  type: number,
): number {
  const lengths = lengthsAt(buf, start);
  const contentBytes = readUint32(buf, lengths + 4);
  const firstEnd = start + fixedBytesOf(buf[start] as number, type) + readUint16(buf, lengths);
  const bodyStart = firstEnd + readUint16(buf, lengths + 2);
  head.buf = buf;
  head.framing = protocol;
  head.exactNames = true;
  head.start = start;
  head.firstEnd = firstEnd;
  head.bodyStart = bodyStart;
  head.bodyEnd = Math.min(bodyStart + contentBytes, end);
  head.end = end;
  head.contentLength = contentBytes;
  return contentBytes;
}

/**
 * The words for routing. A map with two different services is refused: the last counts for a Java server, the first for
 * whoever looks a header up, and nobody must be routed by one and served by the other.
 */
function nameRequest(head: HeadView, buf: Buffer, contentBytes: number, names: ReadContext['names']): number {
  const { fields, count } = head;
  let service = -1;
  let target = -1;
  let method = -1;
  for (let at = 0; at < count * 4; at += 4) {
    const key = fields[at] as number;
    const size = (fields[at + 1] as number) - key;
    if (size === 7) {
      if (!isKey(buf, key, serviceKey)) continue;
      if (service >= 0) return Code.downstreamProtocol;
      service = at;
    } else if (size === 21) {
      if (!isKey(buf, key, methodKey)) continue;
      if (method >= 0) return Code.downstreamProtocol;
      method = at;
    } else if (size === 24 && isKey(buf, key, targetKey)) target = at;
  }
  if (service < 0) service = target;
  const a = service < 0 ? 0 : (fields[service + 2] as number);
  const b = service < 0 ? 0 : (fields[service + 3] as number);
  if (method >= 0) {
    setRpcName(head, names.get(buf, a, b, fields[method + 2] as number, fields[method + 3] as number));
    return Code.none;
  }
  // npm's sofa-bolt-node names the method in the body only.
  const isHessian = contentBytes > 0 && codecOf(buf, head.start) === hessian;
  const found = isHessian ? methodInBody(buf, head.bodyStart, head.bodyEnd) : -1;
  const from = found < 0 ? 0 : found + 1;
  setRpcName(head, names.get(buf, a, b, from, found < 0 ? 0 : from + (buf[found] as number)));
  return Code.none;
}

function isKey(buf: Buffer, start: number, key: string): boolean {
  for (let i = 0; i < key.length; i++) if (buf[start + i] !== key.charCodeAt(i)) return false;
  return true;
}

export function readResponse(
  head: HeadView,
  protocol: object,
  buf: Buffer,
  start: number,
  end: number,
): number {
  locate(head, protocol, buf, start, end, FrameType.response);
  const status = readUint16(buf, timeoutAt(buf, start));
  head.protocolStatus = status;
  head.status = httpStatusOf(status);
  head.indexLater(laterFields);
  return Code.none;
}
