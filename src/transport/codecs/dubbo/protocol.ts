import type { FramedProtocol } from '../framed/index.ts';
import { headerBytes } from './constants.ts';
import { encodeForeignRequest, encodeOwnRequest } from './encode-request.ts';
import { encodeFailure, encodeForeignResponse, encodeOwnResponse } from './encode-response.ts';
import { heartbeat, heartbeatAck, idHighOf, idOf, kindOf, match, readOnly, setId, sizeOf } from './frame.ts';
import { readRequest, readResponse } from './read.ts';
import { toHttpStatus } from './status.ts';

/**
 * Dubbo2, the TCP protocol of Apache Dubbo 2 and 3: 16-byte header, bodies of Hessian 2.0 values in a row. Words and
 * attachments are headers to routes and filters; arguments and results are skipped, never made.
 */
export const dubboProtocol: FramedProtocol = {
  name: 'dubbo',
  match,
  heartbeats: true,
  sizeOf,
  // Attachments stand behind the arguments.
  headBytesOf: (_buf, _start, sizeBytes) => sizeBytes,
  kindOf,
  idOf,
  idHighOf,
  setId(buf, start, _end, id, idHigh) {
    setId(buf, start, id, idHigh);
    return null;
  },
  quickStatusOf: (buf, start) => toHttpStatus(buf[start + 3] as number),
  bodyBytesOf: (_buf, start, end) => end - start - headerBytes,
  readRequest(head, buf, start, end, context) {
    head.framing = dubboProtocol;
    return readRequest(head, buf, start, end, context);
  },
  readResponse(head, buf, start, end) {
    head.framing = dubboProtocol;
    return readResponse(head, buf, start, end);
  },
  encodeRequest(head, body, id, idHigh) {
    const encode = head.framing === dubboProtocol ? encodeOwnRequest : encodeForeignRequest;
    return encode(head, body, id, idHigh);
  },
  encodeResponse(head, body, request, id, idHigh) {
    const encode = head.framing === dubboProtocol ? encodeOwnResponse : encodeForeignResponse;
    return encode(head, body, request, request.framing === dubboProtocol, id, idHigh);
  },
  encodeFailure: (status, reason, request, id, idHigh) =>
    encodeFailure(status, reason, request, request.framing === dubboProtocol, id, idHigh),
  heartbeat: (id) => heartbeat(id),
  heartbeatAck: (buf, start, end) => heartbeatAck(buf, start, end),
  announcementOf: () => null,
  goAway: (_isMeshPeer, id) => readOnly(id),
};
