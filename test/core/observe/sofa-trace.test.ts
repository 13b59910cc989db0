import test from 'ava';
import { HeadView } from '../../../src/core/base/head-view.ts';
import { Stream, type StreamCore } from '../../../src/core/contract/stream.ts';
import { SofaTrace } from '../../../src/core/observe/sofa-trace.ts';

const protocol = {};

function inbound(headers: Readonly<Record<string, string>>, isRpc: boolean): Stream {
  const s = new Stream(null as unknown as StreamCore);
  s.req.exactNames = isRpc;
  s.req.framing = isRpc ? protocol : null;
  for (const [name, value] of Object.entries(headers)) s.req.add(name, value);
  return s;
}

function outbound(isRpc: boolean): HeadView {
  const head = new HeadView();
  head.exactNames = isRpc;
  head.framing = isRpc ? protocol : null;
  return head;
}

test('calls of a Bolt request carry its trace in the spellings that it had, each with its own number', (t) => {
  const sofa = new SofaTrace();
  const parent = inbound(
    {
      'rpc_trace_context.sofaTraceId': 'T',
      'rpc_trace_context.sofaRpcId': '0.1',
      'rpc_trace_context.sofaPenAttrs': 'a=b&',
      new_rpc_trace_context: 'tcid=T&spid=0.1&pspid=0&sample=true&_sys_x=1&',
    },
    true,
  );
  for (const number of [1, 2]) {
    const head = outbound(true);
    sofa.carry(parent, head);
    t.deepEqual(
      { ...head.toObject() },
      {
        'rpc_trace_context.sofaTraceId': 'T',
        'rpc_trace_context.sofaRpcId': `0.1.${number}`,
        'rpc_trace_context.sofaPenAttrs': 'a=b&',
        new_rpc_trace_context: `tcid=T&spid=0.1.${number}&pspid=0.1&sample=true&_sys_x=1&`,
      },
    );
  }
  parent.recycle();
  t.is(parent.req.count, 0);
});

test('the new spelling alone is enough, and HTTP has headers for it', (t) => {
  const sofa = new SofaTrace();
  const parent = inbound({ new_rpc_trace_context: 'tcid=T&spid=0&pspid=&sample=true&' }, true);
  const http = outbound(false);
  sofa.carry(parent, http);
  t.is(http.get('sofa-traceid'), 'T');
  t.is(http.get('sofa-rpcid'), '0.1');
  const back = outbound(true);
  sofa.carry(inbound({ 'SOFA-TraceId': 'U', 'SOFA-RpcId': '0.3' }, false), back);
  t.is(back.get('rpc_trace_context.sofaTraceId'), 'U');
  t.is(back.get('rpc_trace_context.sofaRpcId'), '0.3.1');
});

test('a call that has a position keeps it, and none is invented', (t) => {
  const sofa = new SofaTrace();
  const own = outbound(true);
  own.add('rpc_trace_context.sofaTraceId', 'mine');
  sofa.carry(inbound({ 'rpc_trace_context.sofaTraceId': 'T' }, true), own);
  t.is(own.extraCount, 1);
  const none = outbound(true);
  sofa.carry(inbound({ other: 'x' }, true), none);
  t.is(none.extraCount, 0);
});

test('keys and values that no header may hold are not passed on', (t) => {
  const parent = inbound({ 'rpc_trace_context.sofaTraceId': 'T' }, true);
  parent.req.buf = Buffer.from('rpc_trace_context.x\n\u0001');
  parent.req.fields = [0, 19, 19, 21];
  parent.req.count = 1;
  const head = outbound(true);
  t.notThrows(() => new SofaTrace().carry(parent, head));
  t.is(head.extraCount, 0);
});
