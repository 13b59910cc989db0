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
  /** `{ listener, wire }`: a connection was accepted. */
  connectionOpen: channel('heddle:connection:open'),
  /** `{ listener, wire }`: it is gone. */
  connectionClose: channel('heddle:connection:close'),
  /** `{ address, codec, connections }`: a connection to a host is dialled; `connections` has it already. */
  poolConnect: channel('heddle:pool:connect'),
  /** `{ address, codec, connections, code }`: it is gone; `code` says why, as `x-heddle-error` does. */
  poolClose: channel('heddle:pool:close'),
  /** `{ address, stream }`: a stream waits for a connection. */
  poolWait: channel('heddle:pool:wait'),
  /** `{ cluster, version, full, added, removed, changed }`: discovery changed the hosts; the last three are counts. */
  hostsUpdate: channel('heddle:hosts:update'),
  /** `{ cluster, host, reason, durationMs }`: passive ejection. */
  hostEject: channel('heddle:host:eject'),
  /** `{ diff }`: what a reload adds, removes and changes (ConfigDiff); it takes effect after the call. */
  configReload: channel('heddle:config:reload'),
} as const satisfies Record<string, Channel>;
