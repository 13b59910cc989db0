import { type Codec, Match } from '../../../core/contract/codec.ts';
import { fillHijack, noConfig, statusOf } from '../shared.ts';
import { magic } from './frame.ts';
import { MuxClient } from './mux-client.ts';
import { MuxServer, maxConcurrent } from './mux-server.ts';

/**
 * A multiplexed, framed protocol of our own for tests: ids, credit per stream, heartbeat, goAway, trailers, 1xx. It
 * proves the seams that HTTP/2 and Bolt need.
 */
export const testMux: Codec<unknown> = {
  name: 'test-mux',
  poolMode: 'multiplex',
  maxConcurrent,
  config: noConfig,
  match: (buf, start, end) => {
    if (start === end) return Match.more;
    return buf[start] === magic ? Match.yes : Match.no;
  },
  server: (wire, context, owner) => new MuxServer(wire, context, owner),
  client: (wire, context, owner) => new MuxClient(wire, context, owner),
  hijack: fillHijack,
  statusOf,
  heartbeat: { intervalMs: 15_000, timeoutMs: 3000, maxMissed: 2 },
};
