import { receiveMessageOnPort } from 'node:worker_threads';
import type { PendingStream } from '../../core/contract/pending-stream.ts';
import { SharedWord } from '../../transport/worker/messages.ts';
import type { MeshThread } from '../../transport/worker/supervisor.ts';

/** A worker that is busy for longer is not waited for: a capture holds up this thread meanwhile. */
const waitMs = 100;

/** Asks the worker for its streams in progress and waits for the answer; null when none came. */
export function askStreams({ questions, shared }: MeshThread): readonly PendingStream[] | null {
  // What came too late for an earlier question.
  while (receiveMessageOnPort(questions) !== undefined);
  const answered = Atomics.load(shared, SharedWord.answers);
  questions.postMessage(null);
  if (Atomics.wait(shared, SharedWord.answers, answered, waitMs) === 'timed-out') return null;
  const answer = receiveMessageOnPort(questions) as { message: readonly PendingStream[] } | undefined;
  return answer?.message ?? null;
}
