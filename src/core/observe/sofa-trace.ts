import type { HeadView } from '../base/head-view.ts';
import type { Stream } from '../contract/stream.ts';

/** SOFATracer before provider 5.1.0: one field a key. MOSN reads only these. */
const oldPrefix = 'rpc_trace_context.';
const oldTraceId = 'rpc_trace_context.sofaTraceId';
const oldRpcId = 'rpc_trace_context.sofaRpcId';
/** Since then: `tcid=TRACE&spid=SPAN&pspid=PARENT&sample=true&` and baggage in one field. */
const newContext = 'new_rpc_trace_context';
const httpTraceId = 'sofa-traceid';
const httpRpcId = 'sofa-rpcid';

interface Position {
  readonly traceId: string;
  /** "0", its calls "0.1", "0.2", ... */
  readonly rpcId: string;
  readonly context: string | null;
}

/** Carries SOFATracer's position from an inbound stream to the calls that it causes, each with a number of its own. */
export class SofaTrace {
  readonly #calls = new WeakMap<Stream, { gen: number; count: number }>();

  carry(parent: Stream, head: HeadView): void {
    const position = positionOf(parent.req);
    if (position === null || positionOf(head) !== null || !isPlain(parent.req)) return;
    const rpcId = `${position.rpcId}.${this.#nextCall(parent)}`;
    if (head.framing === null) {
      head.add('SOFA-TraceId', position.traceId);
      head.add('SOFA-RpcId', rpcId);
      return;
    }
    head.add(oldTraceId, position.traceId);
    head.add(oldRpcId, rpcId);
    parent.req.forEach((name, value) => {
      if (name.startsWith(oldPrefix) && name !== oldTraceId && name !== oldRpcId) head.add(name, value);
    });
    if (position.context !== null)
      head.add(newContext, childContext(position.context, position.rpcId, rpcId));
  }

  #nextCall(parent: Stream): number {
    const known = this.#calls.get(parent);
    if (known !== undefined && known.gen === parent.gen) return ++known.count;
    this.#calls.set(parent, { gen: parent.gen, count: 1 });
    return 1;
  }
}

/** A stranger's bytes that no header may hold are not passed on. */
function isPlain(head: HeadView): boolean {
  let plain = true;
  head.forEach((name, value) => {
    if (!/trace/i.test(name)) return;
    plain &&= /^[\x20-\x7e\x80-\xff]*$/.test(value) && /^[\w.-]+$/.test(name);
  });
  return plain;
}

function positionOf(head: HeadView): Position | null {
  if (head.framing === null) {
    const traceId = head.get(httpTraceId);
    return traceId === null ? null : { traceId, rpcId: head.get(httpRpcId) ?? '0', context: null };
  }
  const context = head.get(newContext);
  const pairs = context === null ? null : new URLSearchParams(context);
  const traceId = head.get(oldTraceId) ?? pairs?.get('tcid') ?? null;
  if (traceId === null) return null;
  return { traceId, rpcId: head.get(oldRpcId) ?? pairs?.get('spid') ?? '0', context };
}

/** The same string with another span and its parent: baggage stays as it is written. */
function childContext(context: string, parentId: string, rpcId: string): string {
  return context
    .split('&')
    .map((pair) => {
      if (pair.startsWith('spid=')) return `spid=${rpcId}`;
      return pair.startsWith('pspid=') ? `pspid=${parentId}` : pair;
    })
    .join('&');
}
