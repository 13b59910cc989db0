import { Code } from '../../../../src/core/base/codes.ts';
import { HeadView } from '../../../../src/core/base/head-view.ts';
import { RpcNames } from '../../../../src/core/base/rpc-names.ts';
import { dubboProtocol } from '../../../../src/transport/codecs/dubbo/protocol.ts';
import type { ReadContext } from '../../../../src/transport/codecs/framed/index.ts';

const limits = {
  maxHeaderBytes: 32_768,
  maxHeaderCount: 100,
  maxUriBytes: 8192,
  maxBodyBytes: 0,
  idleTimeoutMs: 0,
  headerTimeoutMs: 0,
  requestTimeoutMs: 0,
  maxRequestsPerConnection: 0,
  maxPipelined: 16,
};

export function readContext(own: Partial<typeof limits> = {}): ReadContext {
  return { names: new RpcNames(), limits: { ...limits, ...own } };
}

/** The body bytes of a head, as a connection passes them. */
export function bodyOf(head: HeadView): Buffer {
  return head.buf.subarray(head.bodyStart, head.bodyEnd);
}

export function readRequest(bytes: Buffer): HeadView {
  const head = new HeadView();
  const code = dubboProtocol.readRequest(head, bytes, 0, bytes.length, readContext());
  if (code !== Code.none) throw new Error(`refused: ${code}`);
  return head;
}

export function readResponse(bytes: Buffer): HeadView {
  const head = new HeadView();
  const code = dubboProtocol.readResponse(head, bytes, 0, bytes.length);
  if (code !== Code.none) throw new Error(`refused: ${code}`);
  return head;
}
