import { workerData } from 'node:worker_threads';
import { pendingStreams } from './assembly/pending-streams.ts';
import { ListenerSpans } from './assembly/worker/listener-spans.ts';
import { MeshEnd } from './assembly/worker/mesh-end.ts';
import type { MeshConfig } from './core/config/input.ts';
import { createMesh, type Mesh } from './mesh.ts';
import { SystemClock } from './transport/system-clock.ts';
import { type BellEnd, makePipes, PipeBell } from './transport/worker/doorbell.ts';
import { packError } from './transport/worker/errors.ts';
import { FrameType } from './transport/worker/frame.ts';
import { writeOutcome } from './transport/worker/frame-writer.ts';
import { ThreadLink } from './transport/worker/link.ts';
import { PortLogger } from './transport/worker/log-port.ts';
import {
  beatMs,
  type LogLine,
  type MeshWorkerData,
  SharedWord,
  type WorkerNotice,
} from './transport/worker/messages.ts';
import { packValues, unpackValues } from './transport/worker/plain-values.ts';

/** The thread of a mesh with `mode: 'worker'`. */
async function main(data: MeshWorkerData): Promise<void> {
  const { port, questions } = data;
  const shared = new Int32Array(data.shared);
  const link = new ThreadLink(port, data.mailboxes);
  const post = (notice: WorkerNotice): void => link.post(notice);
  const logger = new PortLogger(data.logLevel, (lines: readonly LogLine[], dropped: number) =>
    post({ type: 'log', lines, dropped }),
  );
  const beat = setInterval(() => {
    Atomics.add(shared, SharedWord.beats, 1);
    link.look();
  }, beatMs);
  const end = (): void => {
    logger.flush();
    clearInterval(beat);
    questions.close();
    link.close();
  };
  const spans = new ListenerSpans(
    {
      hasProvider: () => Atomics.load(shared, SharedWord.hasProvider) !== 0,
      ask: (id, request) => post({ type: 'span', id, request }),
      ended: (id, s) => writeOutcome(link.writer, FrameType.outcome, id, s, s.code),
    },
    new SystemClock(),
  );
  let mesh: Mesh;
  try {
    mesh = await createMesh(unpackValues(data.config) as MeshConfig, {
      use: data.modules,
      logger,
      tracksStreams: data.tracksStreams,
      surroundings: { spans },
    });
  } catch (thrown) {
    post({ type: 'refused', error: packError(thrown) });
    end();
    return;
  }
  const useBell = (bell: BellEnd): void => {
    // Before it is: a number that two close is worse than one that nobody closes.
    Atomics.store(shared, SharedWord.hasBell, 1);
    link.listenTo(new PipeBell(bell));
    link.ringAtOther();
  };
  link.listen(new MeshEnd(mesh, link, { spans, useBell, end }));
  questions.on('message', () => {
    questions.postMessage(pendingStreams(mesh.runtime) ?? []);
    Atomics.add(shared, SharedWord.answers, 1);
    Atomics.notify(shared, SharedWord.answers);
  });
  questions.unref();
  post({ type: 'ready', config: packValues(mesh.config), addresses: { ...mesh.listeners.addresses } });
  if (await makePipes(data.bellDirectory)) post({ type: 'pipes' });
}

void main(workerData as MeshWorkerData);
