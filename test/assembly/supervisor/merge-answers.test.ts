import test from 'ava';
import { mergeAnswers } from '../../../src/assembly/supervisor/merge-answers.ts';
import type { AdminAnswer } from '../../../src/core/contract/state.ts';

const of = (...answers: AdminAnswer[]) => answers.map((answer, i) => ({ worker: i + 1, answer }));

const cluster = (active: number, health: string, status: string) => ({
  body: [
    {
      name: 'up',
      hosts: 1,
      available: health === 'healthy' ? 1 : 0,
      requests: active,
      hostStats: [{ address: 'a:1', active, health, ejections: 1, ejectedForMs: active }],
      health: { status, reason: '', sinceMs: 0 },
    },
  ],
});

test('clusters: counts are summed, of what each finds out for itself the worst is shown', (t) => {
  const answer = mergeAnswers('clusters', of(cluster(3, 'healthy', 'ok'), cluster(4, 'ejected', 'degraded')));
  t.like(answer.body, [
    {
      name: 'up',
      hosts: 1,
      available: 0,
      requests: 7,
      hostStats: [{ address: 'a:1', active: 7, health: 'ejected', ejections: 2, ejectedForMs: 4 }],
      health: { status: 'degraded' },
    },
  ]);
});

test('health: each part as the worker sees it that sees it worst, 503 when one has failed', (t) => {
  const part = (status: string) => ({
    body: { status, parts: [{ part: 'cluster up', status, reason: status }] },
  });
  t.like(mergeAnswers('health', of(part('ok'), part('ok'))), { status: 200 });
  t.like(mergeAnswers('health', of(part('ok'), { ...part('failed'), status: 503 })), {
    status: 503,
    body: { status: 'failed', parts: [{ part: 'cluster up', reason: 'failed' }] },
  });
});

test('other sections: once where all say the same, else worker by worker; a refusal is the answer', (t) => {
  t.is(mergeAnswers('any', of({ body: 'x\n' }, { body: 'x\n' })).body, 'x\n');
  t.deepEqual(mergeAnswers('any', of({ body: [1] }, { body: [2] })).body, {
    'worker 1': [1],
    'worker 2': [2],
  });
  t.like(mergeAnswers('any', of({ body: 1 }, { status: 404, body: 'no' })), { status: 404, body: 'no' });
});
