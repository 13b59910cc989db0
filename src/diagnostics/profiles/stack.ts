import type { InspectorSession, ProfileKind } from '../../core/contract/profile-kind.ts';
import { ProfileBuilder } from '../pprof/profile-builder.ts';
import { nowMs, wait } from '../worker/cpu-profiler.ts';
import type { KindContext } from './context.ts';

interface CallFrame {
  readonly functionName: string;
  readonly url: string;
  readonly functionLocation?: { readonly lineNumber: number; readonly columnNumber?: number };
  readonly location: {
    readonly scriptId: string;
    readonly lineNumber: number;
    readonly columnNumber?: number;
  };
}

/** Looks so often; one look may be chance. */
const looks = 3;
const betweenMs = 40;
const lateMs = 200;
/** A native call (a regular expression, JSON, a synchronous read) pauses only when it comes back. */
const pauseTimeoutMs = 1500;

/** The exact stack that runs now: the application is paused for 0.1 to 3 ms a look, three times. */
export function stackKind(context: KindContext): ProfileKind {
  return {
    name: 'stack',
    description: 'the stack that runs right now, exactly',
    deep: false,
    capture: async (target) => {
      if (context.isDebugged()) return [];
      const session = context.connect();
      const startMs = nowMs();
      const builder = new ProfileBuilder([{ type: 'samples', unit: 'count' }]);
      try {
        const looked = await look(session, builder);
        if (looked === 0) return [];
      } finally {
        session.disconnect();
      }
      const durationMs = nowMs() - startMs;
      const data = builder.build({ kind: 'stall', startMs, durationMs });
      const { threadId, threadName } = target;
      return [
        {
          kind: 'stall',
          threadId,
          threadName,
          format: 'profile-model',
          startMs,
          durationMs,
          data,
          window: 'during',
        },
      ];
    },
  };
}

async function look(session: InspectorSession, builder: ProfileBuilder): Promise<number> {
  const urls = new Map<string, string>();
  const stopScripts = session.on('Debugger.scriptParsed', (message) => {
    const { scriptId, url } = message as { scriptId: string; url: string };
    urls.set(scriptId, url);
  });
  const enabled = session.post('Debugger.enable', { maxScriptsCacheSize: 0 }).finally(stopScripts);
  // Not awaited yet: the first pause travels with it.
  enabled.catch(() => {});
  let seen = 0;
  for (let index = 0; index < looks; index++) {
    const askedMs = nowMs();
    const frames = await pauseOnce(session);
    if (frames === undefined) break;
    seen++;
    addStack(builder, frames, urls);
    // A pause that comes late means one long native call: a second look would wait for the next one.
    if (nowMs() - askedMs > lateMs) break;
    await wait(betweenMs);
  }
  await session.post('Debugger.disable');
  return seen;
}

async function pauseOnce(session: InspectorSession): Promise<readonly CallFrame[] | undefined> {
  let stop = (): void => {};
  const paused = new Promise<readonly CallFrame[]>((resolve) => {
    stop = session.on('Debugger.paused', (message) =>
      resolve((message as { callFrames: CallFrame[] }).callFrames),
    );
  });
  const asked = session.post('Debugger.pause').catch(() => {});
  const frames = await Promise.race([paused, wait(pauseTimeoutMs).then(() => undefined)]);
  stop();
  await Promise.race([asked, wait(pauseTimeoutMs)]);
  if (frames !== undefined) await session.post('Debugger.resume').catch(() => {});
  return frames;
}

function addStack(builder: ProfileBuilder, frames: readonly CallFrame[], urls: Map<string, string>): void {
  let node = 0;
  for (const frame of frames.toReversed()) {
    const start = frame.functionLocation ?? frame.location;
    const index = builder.frame({
      name: frame.functionName || '(anonymous)',
      url: frame.url || (urls.get(frame.location.scriptId) ?? ''),
      line: start.lineNumber + 1,
      column: (start.columnNumber ?? 0) + 1,
    });
    node = builder.child(node, index, frame.location.lineNumber + 1);
  }
  builder.add(node, [1]);
}
