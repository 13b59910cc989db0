import { type Codec, Match } from '../../../core/contract/codec.ts';
import { fillHijack, noConfig, statusOf } from '../shared.ts';
import { BoundClient } from './bound-client.ts';
import { BoundServer } from './bound-server.ts';

const longestVerb = 16;

/**
 * A line protocol of our own for tests, with a login that lasts as long as the connection: one upstream connection is
 * bound to one downstream. It proves the seams that database and session protocols need.
 */
export const testBound: Codec<unknown> = {
  name: 'test-bound',
  poolMode: 'bound',
  maxConcurrent: 1,
  config: noConfig,
  match: (buf, start, end) => {
    const text = buf.toString('latin1', start, Math.min(end, start + longestVerb + 1));
    if (/^[A-Z]{2,16} \S/.test(text)) return Match.yes;
    return /^[A-Z]{0,16} ?$/.test(text) ? Match.more : Match.no;
  },
  server: (wire, context, owner) => new BoundServer(wire, context, owner),
  client: (wire, context, owner) => new BoundClient(wire, context, owner),
  hijack: fillHijack,
  statusOf,
};
