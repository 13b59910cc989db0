/** What an idle connection with TLS costs a contender: a Node client holds them, as the C generator speaks no TLS. */
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Contender } from './contender.ts';
import { enter, isAbsent, leave } from './entry.ts';
import { type LoadPlace, type LoadReport, nextReport, readLines, startBackend } from './load.ts';
import { residentBytes } from './proc.ts';
import type { Bench, Row } from './suite.ts';

const holder = fileURLToPath(new URL('../cases/tls-holder.mjs', import.meta.url));
/** Enough that their sum stands out, few enough that the client holds them, too. */
const connections = 3_000;
const settleMs = 8_000;

type HolderReport = Pick<LoadReport, 'answered' | 'errors' | 'firstError' | 'seconds'>;

/** One row: `tlsBytes` a connection. */
export async function measureTlsIdle(bench: Bench, place: LoadPlace, contender: Contender): Promise<Row> {
  const name = `${contender.name}, one request each`;
  const backend = await startBackend(place);
  const entry = await enter(bench, contender, backend.port, async () => []);
  if (isAbsent(entry)) return { name, reason: entry.reason };
  const pid = entry.child.pid ?? 0;
  // What the first handshakes bring in is no cost of a connection.
  const first = hold(place, entry.place.port, 64);
  await nextReport(first.lines);
  await first.close();
  await delay(settleMs);
  const before = residentBytes(pid);
  const held = hold(place, entry.place.port, connections);
  const opened: HolderReport = await nextReport(held.lines);
  bench.progress(`${name}: open, resting ${bench.seconds} s`);
  await delay(bench.seconds * 1000);
  const after = residentBytes(pid);
  const again: HolderReport = await held.again();
  await held.close();
  const problems = [...problemsOf('opening', opened), ...problemsOf('answering again', again)];
  problems.push(...(await leave(bench, entry)));
  await backend.stop();
  return {
    name,
    tlsBytes: problems.length === 0 ? Math.round((after - before) / connections) : null,
    openedSeconds: Math.round(opened.seconds * 10) / 10,
    again: again.answered,
    ...(problems.length > 0 && { problem: `${name}: ${problems.join('; ')}` }),
  };
}

function hold(place: LoadPlace, port: number, count: number) {
  const child = place.children.start({
    command: process.execPath,
    args: [holder, String(port), String(count)],
    core: place.core,
    pipe: true,
    log: `${place.directory}/tls-holder.log`,
  });
  const lines = readLines(child);
  return {
    lines,
    again(): Promise<LoadReport> {
      child.stdin?.write('again\n');
      return nextReport(lines);
    },
    async close(): Promise<void> {
      child.stdin?.end('quit\n');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    },
  };
}

function problemsOf(what: string, report: HolderReport): string[] {
  if (report.errors === 0 && report.answered === connections) return [];
  return [`${what}: ${report.answered} of ${connections}, ${report.firstError || 'no error'}`];
}
