import type { HeadView } from '../../../core/base/head-view.ts';
import { headerField } from '../../../core/base/header-field.ts';
import type { Codec } from '../../../core/contract/codec.ts';
import type { ConfigSchema } from '../../../core/contract/extension.ts';
import { FramedClient } from './client.ts';
import type { FramedConfig } from './config.ts';
import type { FramedProtocol } from './protocol.ts';
import { FramedServer } from './server.ts';

export { FramedConfig, framedOptions } from './config.ts';
export {
  type FramedProtocol,
  FrameKind,
  needsMore,
  notAFrame,
  type PeerAnnouncement,
  type ReadContext,
  setRpcName,
} from './protocol.ts';

/** Java peers close a connection that was silent for 90 s; they send their own heartbeat after 15 s of silence. */
const heartbeat = {
  intervalMs: 15_000,
  timeoutMs: 3000,
  maxMissed: 3,
  maxIntervalMs: 90_000,
  peerIdleLimitMs: 90_000,
};
const maxConcurrent = 4096;
const textPlain = headerField('content-type', 'text/plain');

/** The codec of a framed protocol. @param config a schema of `framedOptions` and what the protocol adds */
export function framedCodec<Config extends FramedConfig>(
  protocol: FramedProtocol,
  config: ConfigSchema<Config>,
): Codec<Config> {
  const codec: Codec<Config> = {
    name: protocol.name,
    poolMode: 'multiplex',
    maxConcurrent,
    config,
    match: protocol.match,
    server: (wire, context, owner, given) => new FramedServer(wire, context, owner, protocol, given),
    client: (wire, context, owner, given) => new FramedClient(wire, context, owner, protocol, given),
    hijack: fillHijack,
    statusOf: (head) => head.status,
  };
  return protocol.heartbeats ? { ...codec, heartbeat } : codec;
}

/** Local answers carry HTTP's status; the encoder makes the protocol's own of it. */
function fillHijack(head: HeadView, status: number, body: string): void {
  head.status = status;
  head.contentLength = Buffer.byteLength(body);
  if (body !== '') head.addField(textPlain);
}
