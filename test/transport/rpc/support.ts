import { HeadView } from '../../../src/core/base/head-view.ts';
import { RpcNames } from '../../../src/core/base/rpc-names.ts';
import type { RpcOutcome, RpcProtocol, RpcRequest } from '../../../src/transport/rpc/call.ts';
import { type RpcEngine, RpcEngines } from '../../../src/transport/rpc/engine.ts';
import type { IncomingCall } from '../../../src/transport/rpc/messages.ts';

export const protocols = ['bolt', 'dubbo'] as const;

const engines = new RpcEngines(new RpcNames());

export const engineOf = (protocol: RpcProtocol): RpcEngine => engines.get(protocol);

export const request = (more: Partial<RpcRequest> = {}): RpcRequest => ({
  service: 'com.example.Greeter',
  version: '1.0',
  group: '',
  method: 'sayHello',
  args: [],
  argTypes: [],
  attachments: {},
  timeoutMs: 0,
  isOneway: false,
  ...more,
});

/** Reads a request frame as a codec and then a service would. */
export function readRequest(engine: RpcEngine, frame: Buffer): IncomingCall {
  const head = new HeadView();
  engine.readRequest(head, frame);
  return engine.messages.decodeRequest(head, frame.subarray(head.bodyStart, head.bodyEnd));
}

export function readResponse(engine: RpcEngine, frame: Buffer): RpcOutcome {
  const head = new HeadView();
  engine.readResponse(head, frame);
  return engine.messages.decodeResponse(head, frame.subarray(head.bodyStart, head.bodyEnd));
}
