import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import type { InspectorSession, ProfileArtifact } from '../../../src/core/contract/profile-kind.ts';
import { type EmergencyAccess, Refuted, takeEvidence } from '../../../src/diagnostics/worker/emergency.ts';

/** An application that answers only once it was asked everything, as one that is interrupted once does. */
function application(usedSize: number): { access: EmergencyAccess; asked: string[]; answer(): void } {
  const asked: string[] = [];
  const answers: (() => void)[] = [];
  const asking = <Result>(method: string, result: Result): Promise<Result> => {
    asked.push(method);
    return new Promise((resolve) => answers.push(() => resolve(result)));
  };
  const session: InspectorSession = {
    post: (method) => asking(method, { profile: { head: {} }, usedSize } as never),
    on: () => () => {},
  };
  const access: EmergencyAccess = {
    target: { pid: 1, threadId: 0, threadName: 'main', session },
    before: () => asking('before', [{ kind: 'cpu', window: 'before' } as ProfileArtifact]),
    hold: (limitMs) => asked.push(`hold ${limitMs}`),
    resume: () => asked.push('resume'),
  };
  return { access, asked, answer: () => answers.forEach((give) => void give()) };
}

const file = () => ({ directory: mkdtempSync(join(tmpdir(), 'heddle-emergency-')), name: 'x.heapprofile' });

test('all questions are asked at once, and the application is held behind the last one', async (t) => {
  const { access, asked, answer } = application(900);
  const raw = file();
  const evidence = takeEvidence(access, { refuteBelowBytes: 500, holdMs: 300 }, raw);
  t.deepEqual(asked, ['HeapProfiler.getSamplingProfile', 'Runtime.getHeapUsage', 'before', 'hold 300']);
  answer();
  t.deepEqual(
    (await evidence).artifacts.map(({ kind, window }) => `${kind} ${window}`),
    ['heap during', 'cpu before'],
  );
  t.is(readFileSync(join(raw.directory, raw.name), 'utf8'), '{"head":{}}');
});

test('a heap that its collection has emptied is refuted; one without a hold runs on', async (t) => {
  const { access, asked, answer } = application(400);
  const evidence = takeEvidence(access, { refuteBelowBytes: 500, holdMs: 0 }, file());
  answer();
  await t.throwsAsync(evidence, { instanceOf: Refuted });
  t.false(asked.some((word) => word.startsWith('hold')));
});

test('a recorder that fails is named on the page, and the heap is there all the same', async (t) => {
  const { access, answer } = application(900);
  const before = (): Promise<never> => Promise.reject(new Error('no recorder'));
  const evidence = takeEvidence({ ...access, before }, { refuteBelowBytes: 500, holdMs: 0 }, file());
  answer();
  const { artifacts, missing } = await evidence;
  t.deepEqual(
    artifacts.map(({ kind }) => kind),
    ['heap'],
  );
  t.deepEqual(missing, ['before: no recorder']);
});
