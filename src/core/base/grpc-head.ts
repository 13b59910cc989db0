import type { HeadView } from './head-view.ts';
import { lowerByte } from './header-field.ts';

const mediaType = 'application/grpc';

/** Is it a message of gRPC over HTTP/2: "application/grpc", perhaps with "+proto" or parameters? Not gRPC-Web. */
export function isGrpcHead(head: HeadView): boolean {
  const index = head.find('content-type');
  if (index < 0) return false;
  const inWire = index < head.count;
  const fields = inWire ? head.fields : head.extraFields;
  const at = (inWire ? index : index - head.count) * 4;
  const start = fields[at + 2] as number;
  const rest = (fields[at + 3] as number) - start - mediaType.length;
  if (rest < 0) return false;
  const buf = inWire ? head.buf : head.extra;
  for (let i = 0; i < mediaType.length; i++) {
    if (lowerByte[buf[start + i] as number] !== mediaType.charCodeAt(i)) return false;
  }
  if (rest === 0) return true;
  const next = buf[start + mediaType.length];
  return next === 43 || next === 59 || next === 32;
}

/** Fields of Dubbo's Triple: any of them says that the path names a service and a method, whatever the body is. */
const tripleFields = [
  'tri-service-version',
  'tri-service-group',
  'tri-protocol-version',
  'tri-consumer-appname',
];

/** The last two segments of a path: service and method. */
const lastTwo = /([^/?]+)\/([^/?]+)(?:\?|$)/;

/** Service and method that the path of a gRPC or Triple call names; "" for any other request, or what its codec has read. */
export function rpcServiceOf(head: HeadView): string {
  return isNamedByPath(head) ? (lastTwo.exec(head.path)?.[1] ?? '') : head.service;
}

export function rpcMethodOf(head: HeadView): string {
  return isNamedByPath(head) ? (lastTwo.exec(head.path)?.[2] ?? '') : head.rpcMethod;
}

/** Version of the service that a call asks for: an attachment of Dubbo, a header of Triple. Null when it asks for none. */
export function rpcVersionOf(head: HeadView): string | null {
  return head.framing !== null
    ? head.get('version')
    : (head.get('tri-service-version') ?? head.get('rest-service-version'));
}

/** As `rpcVersionOf`, for the group. */
export function rpcGroupOf(head: HeadView): string | null {
  return head.framing !== null
    ? head.get('group')
    : (head.get('tri-service-group') ?? head.get('rest-service-group'));
}

function isNamedByPath(head: HeadView): boolean {
  if (head.framing !== null || head.service !== '') return false;
  return isGrpcHead(head) || tripleFields.some((name) => head.has(name));
}
