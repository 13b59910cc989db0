import test from 'ava';
import { identify } from '../../../src/diagnostics/worker/sibling-threads.ts';

test('a worker thread goes by the id and name that the application knows', (t) => {
  const of = (title: string) => Object.values(identify({ workerId: '9', title }));
  t.deepEqual(of('[worker 2] tax-worker'), [2, 'worker 2 (tax-worker)']);
  t.deepEqual(of('[worker 12] a [b]'), [12, 'worker 12 (a [b])']);
  t.deepEqual(of('[worker 1]'), [1, 'worker 1'], 'Node 22');
  t.deepEqual(of('[worker 1] WorkerThread'), [1, 'worker 1'], 'Node 24 and 26');
  t.deepEqual(of('something else'), [9, 'worker 9']);
});
