import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { HeddleError } from '../../core/base/errors.ts';
import type {
  ArtifactFormat,
  ProfileArtifact,
  ProfileKind,
  ProfileTarget,
} from '../../core/contract/profile-kind.ts';
import { openDirectory } from '../captures/directory.ts';
import { nowMs, wait } from '../worker/cpu-profiler.ts';
import { evaluate } from '../worker/main-session.ts';
import type { KindContext } from './context.ts';

const artifact = (
  target: ProfileTarget,
  kind: string,
  format: ArtifactFormat,
  startMs: number,
  data: unknown,
): ProfileArtifact => ({
  kind,
  threadId: target.threadId,
  threadName: target.threadName,
  format,
  startMs,
  durationMs: nowMs() - startMs,
  data,
  window: 'during',
});

/** Every collection of the next seconds with the heap before and after it. */
export function gcKind(_context: KindContext): ProfileKind {
  const slot = "globalThis[Symbol.for('heddle.monitor.gc')]";
  return {
    name: 'gc',
    description: 'each collection: kind, pause, heap before and after',
    deep: false,
    capture: async (target, request) => {
      const startMs = nowMs();
      const start = `void (${slot} ??= new (process.getBuiltinModule('node:v8').GCProfiler)(), ${slot}.start())`;
      await evaluate(target.session, start);
      await wait(request.durationMs, request.signal);
      const stop = `(() => { const trace = ${slot}?.stop(); delete ${slot}; return trace; })()`;
      const trace = await evaluate<unknown>(target.session, stop);
      return [artifact(target, 'gc', 'gc-trace', startMs, trace)];
    },
  };
}

/**
 * Node's diagnostic report. The network section is left out: it resolves every peer's name and has frozen
 * applications for minutes. So are the environment variables: they hold secrets.
 */
export function reportKind(_context: KindContext): ProfileKind {
  const expression = `(() => {
    const report = process.report;
    const before = report.excludeNetwork;
    report.excludeNetwork = true;
    try {
      const data = report.getReport();
      delete data.environmentVariables;
      return data;
    } finally { report.excludeNetwork = before; }
  })()`;
  return {
    name: 'report',
    description: "Node's diagnostic report without network and environment",
    deep: false,
    capture: async (target) => {
      const startMs = nowMs();
      const data = await evaluate<unknown>(target.session, expression);
      return [artifact(target, 'report', 'report', startMs, data)];
    },
  };
}

const defaultMaxHeapBytes = 64 * 1024 * 1024;

/**
 * A heap snapshot, streamed to a 0600 file. The application stands still meanwhile: 0.3 s for 6 MB, 2 s for 40 MB,
 * 13 s for 100 MB of small objects. So it must be asked for with `deep`, and only below a heap size.
 */
function snapshotKindNamed(
  context: KindContext,
  name: 'snapshot' | 'coroutines',
  description: string,
): ProfileKind {
  return {
    name,
    description,
    deep: true,
    capture: async (target, request) => {
      const { usedSize } = await target.session.post<{ usedSize: number }>('Runtime.getHeapUsage');
      const maxHeapBytes = request.maxHeapBytes ?? defaultMaxHeapBytes;
      if (usedSize > maxHeapBytes) {
        const detail = `the heap has ${toMb(usedSize)} MB and maxHeapBytes is ${toMb(maxHeapBytes)} MB`;
        throw new HeddleError('ERR_MONITOR_DEEP', detail, { context: { usedSize, maxHeapBytes } });
      }
      const startMs = nowMs();
      const path = join(context.directory, `${context.pid}-${Math.round(startMs)}-${name}.heapsnapshot`);
      await writeSnapshot(context, path);
      return [artifact(target, name, 'heapsnapshot', startMs, path)];
    },
  };
}

async function writeSnapshot(context: KindContext, path: string): Promise<void> {
  openDirectory(context.directory);
  const session = context.connect();
  const file = openSync(path, 'wx', 0o600);
  const stop = session.on('HeapProfiler.addHeapSnapshotChunk', (message) => {
    writeSync(file, (message as { chunk: string }).chunk);
  });
  try {
    await session.post('HeapProfiler.takeHeapSnapshot', {
      reportProgress: false,
      captureNumericValue: false,
    });
  } finally {
    stop();
    closeSync(file);
    session.disconnect();
  }
}

export const snapshotKind = (context: KindContext): ProfileKind =>
  snapshotKindNamed(context, 'snapshot', 'a heap snapshot; stops the application and holds its secrets');
export const coroutinesKind = (context: KindContext): ProfileKind =>
  snapshotKindNamed(
    context,
    'coroutines',
    'every pending coroutine as its await chain; stops the application',
  );

const toMb = (bytes: number): number => Math.round(bytes / 1024 / 1024);
