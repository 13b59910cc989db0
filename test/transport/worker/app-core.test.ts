import test from 'ava';
import { Code } from '../../../src/core/base/codes.ts';
import { startCall } from '../../../src/core/stream/start-call.ts';
import { FakeClock } from '../../../src/testing/index.ts';
import { AppCore } from '../../../src/transport/worker/app-core.ts';
import { BatchWriter } from '../../../src/transport/worker/batch-writer.ts';
import type { Outcome } from '../../../src/transport/worker/frame-writer.ts';

/** The application's end over a port that only counts. */
function rig() {
  const clock = new FakeClock();
  const busy: boolean[] = [];
  const ended: [unknown, Outcome][] = [];
  let posted = 0;
  const core = new AppCore({
    clock,
    trace(s) {
      s.span = `span of ${s.req.path}`;
      return true;
    },
    endSpan: ({ span }, outcome) => void ended.push([span, outcome]),
    busy: (isBusy) => void busy.push(isBusy),
  });
  const writer = new BatchWriter({ postMessage: () => posted++ });
  const attach = (): void => core.attach({ writer } as never);
  attach();
  return { core, writer, busy, ended, attach, posted: () => posted };
}

const call = (core: AppCore, path: string) => startCall(core, null, { authority: 'users', path });

test('what had left fails as lost, what had not as not sent, and each span ends with the reason', async (t) => {
  const { core, writer, ended, busy, posted } = rig();
  const sent = call(core, '/sent');
  writer.flush();
  t.is(posted(), 1);
  const unsent = call(core, '/unsent');
  t.deepEqual(busy, [true]);
  core.detach(Code.workerLost);
  t.like(await t.throwsAsync(sent), { code: 'ERR_WORKER_LOST', retry: 'ifReused' });
  t.like(await t.throwsAsync(unsent), { code: 'ERR_WORKER_DOWN', retry: 'yes' });
  t.deepEqual(busy, [true, false]);
  t.deepEqual(
    ended.map(([span, { code }]) => [span, code]),
    [
      ['span of /sent', Code.workerLost],
      ['span of /unsent', Code.workerLost],
    ],
  );
  t.is(core.active, 0);
});

test('without a worker a call fails at once, until there is one again', async (t) => {
  const { core, attach, busy } = rig();
  core.detach(Code.workerLost);
  t.like(await t.throwsAsync(call(core, '/')), { code: 'ERR_WORKER_DOWN', retry: 'yes' });
  t.deepEqual(busy, []);
  attach();
  const later = call(core, '/later');
  core.detach(Code.meshClosed, Code.meshClosed);
  t.like(await t.throwsAsync(later), { code: 'ERR_MESH_CLOSED' });
  t.like(await t.throwsAsync(call(core, '/')), { code: 'ERR_MESH_CLOSED' });
});

test('a call that the other side does not take ends with its reason, and so does its span', async (t) => {
  const { core, ended } = rig();
  const refused = call(core, '/');
  core.onReset(2, Code.upstreamProtocol);
  t.like(await t.throwsAsync(refused), { code: 'ERR_UPSTREAM_PROTOCOL' });
  t.is(ended[0]?.[1].code, Code.upstreamProtocol);
  core.onReset(2, Code.upstreamProtocol);
  core.onCredit(2, 100);
  t.is(ended.length, 1, 'what comes late for an id is passed over');
});
