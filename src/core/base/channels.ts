import { type Channel, channel } from 'node:diagnostics_channel';

/**
 * What the mesh tells subscribers of `node:diagnostics_channel`, name and message in one table. Publish behind
 * `if (channels.x.hasSubscribers)`: 3 ns without a subscriber. Messages are live objects, valid during the call only.
 *
 *   import { subscribe } from 'node:diagnostics_channel';
 *   subscribe('heddle:stream:end', ({ stream }) => ...);
 */
export const channels = {
  /** `{ stream }`: the head is read, no filter has run. */
  streamStart: channel('heddle:stream:start'),
  /** `{ stream, try }`: a try goes to `stream.host`. */
  streamTry: channel('heddle:stream:try'),
  /** `{ stream }`: all is over, the stream is about to be reused. */
  streamEnd: channel('heddle:stream:end'),
  /** `{ listener, peer }` */
  connectionOpen: channel('heddle:connection:open'),
  /** `{ listener, peer, code }` */
  connectionClose: channel('heddle:connection:close'),
  /** `{ cluster, version, added, removed }`: counts of a new host set. */
  clusterUpdate: channel('heddle:cluster:update'),
  /** `{ cluster, host, untilMs }` */
  hostEject: channel('heddle:host:eject'),
  /** `{ changed }`: names of what a reload touched. */
  configReload: channel('heddle:config:reload'),
} as const satisfies Record<string, Channel>;
