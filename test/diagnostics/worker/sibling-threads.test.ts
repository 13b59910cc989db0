import test from 'ava';
import type { InspectorSession } from '../../../src/core/contract/profile-kind.ts';
import { identify, withSiblings } from '../../../src/diagnostics/worker/sibling-threads.ts';

/** The main thread's session with two workers: a session's own counter numbers them against their thread ids. */
function mainSession() {
  const listeners = new Map<string, (params: unknown) => void>();
  const asked: string[] = [];
  const session: InspectorSession = {
    on: (event, listener) => {
      listeners.set(event, listener);
      return () => listeners.delete(event);
    },
    post: async <Result>(method: string, params: object = {}): Promise<Result> => {
      if (method === 'NodeWorker.enable') {
        attached('1', '[worker 7] mine');
        attached('2', '[worker 2] theirs');
      }
      if (method === 'NodeWorker.sendMessageToWorker') {
        const { sessionId, message } = params as { sessionId: string; message: string };
        const { id, method: inner } = JSON.parse(message) as { id: number; method: string };
        asked.push(inner);
        if (inner === 'Profiler.stop') detach(sessionId);
        else answer(sessionId, { id, result: { asked: inner } });
      }
      return {} as Result;
    },
  };
  const tell = (event: string, params: unknown): void => listeners.get(`NodeWorker.${event}`)?.(params);
  const attached = (workerId: string, title: string): void =>
    tell('attachedToWorker', { sessionId: workerId, workerInfo: { workerId, title, url: '' } });
  const answer = (sessionId: string, body: object): void =>
    tell('receivedMessageFromWorker', { sessionId, message: JSON.stringify(body) });
  const detach = (sessionId: string): void => tell('detachedFromWorker', { sessionId });
  return { session, asked, detach };
}

test('threads go by their thread ids, not by the order in which a session met them', async (t) => {
  const { session } = mainSession();
  const found = await withSiblings(
    session,
    (_url, threadId) => threadId === 7,
    async (threads) => threads.map(({ threadId, threadName }) => [threadId, threadName]),
  );
  t.deepEqual(found, [[2, 'worker 2 (theirs)']]);
});

test('a thread that ends is told at once, for what was asked before and after its end', async (t) => {
  const { session, asked } = mainSession();
  await withSiblings(
    session,
    (_url, threadId) => threadId === 7,
    async ([thread]) => {
      t.deepEqual(await thread?.session.post('Profiler.start'), { asked: 'Profiler.start' });
      await t.throwsAsync(thread?.session.post('Profiler.stop') ?? Promise.resolve(), {
        message: 'the worker thread has ended',
      });
      await t.throwsAsync(thread?.session.post('Profiler.disable') ?? Promise.resolve(), {
        message: 'the worker thread has ended',
      });
      t.deepEqual(asked, ['Profiler.start', 'Profiler.stop']);
    },
  );
});

test('a worker thread goes by the id and name that the application knows', (t) => {
  const of = (title: string) => Object.values(identify({ workerId: '9', title }));
  t.deepEqual(of('[worker 2] tax-worker'), [2, 'worker 2 (tax-worker)']);
  t.deepEqual(of('[worker 12] a [b]'), [12, 'worker 12 (a [b])']);
  t.deepEqual(of('[worker 1]'), [1, 'worker 1'], 'Node 22');
  t.deepEqual(of('[worker 1] WorkerThread'), [1, 'worker 1'], 'Node 24 and 26');
  t.deepEqual(of('something else'), [9, 'worker 9']);
});
