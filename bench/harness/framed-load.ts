/** Traffic of framed RPC protocols: bench/load/framed.c as generator and backend. */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Traffic } from './contest.ts';
import { type LoadReport, nextReport, readLines } from './load.ts';

export interface FramedTraffic {
  readonly protocol: 'bolt' | 'dubbo';
  readonly connections: number;
  /** Requests in flight on each connection. */
  readonly window: number;
  readonly requests: readonly Buffer[];
  readonly answer: Buffer;
}

export function framedTraffic(plan: FramedTraffic): Traffic {
  const { protocol, answer } = plan;
  return {
    async startBackend(place) {
      const file = join(place.directory, `${protocol}-answer`);
      writeFileSync(file, answer);
      const child = place.children.start({
        command: place.tools.framed,
        args: ['backend', protocol, file],
        core: place.core,
        pipe: true,
        log: join(place.directory, 'backend.log'),
      });
      const line = await readLines(child).next();
      const port = Number(/^ready (\d+)$/.exec(line.value ?? '')?.[1]);
      if (!Number.isInteger(port) || child.pid === undefined) throw new Error('the backend did not start');
      return { port, pid: child.pid, stop: () => place.children.stop(child) };
    },
    async run(place, port, seconds): Promise<LoadReport> {
      const file = join(place.directory, `${protocol}-requests`);
      writeFileSync(file, Buffer.concat(plan.requests.flatMap((frame) => [lengthOf(frame), frame])));
      const numbers = [port, plan.connections, plan.window, seconds].map(String);
      const child = place.children.start({
        command: place.tools.framed,
        args: ['load', protocol, ...numbers, file, String(answer.length)],
        core: place.core,
        pipe: true,
        log: join(place.directory, 'load.log'),
      });
      const report = await nextReport(readLines(child));
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      return report;
    },
  };
}

function lengthOf(frame: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(frame.length);
  return length;
}
