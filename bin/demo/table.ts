import { styleText } from 'node:util';
import type { Traffic } from './traffic.ts';

export interface DemoView {
  readonly elapsedSeconds: number;
  readonly admin: string;
  readonly event: string;
  readonly rows: readonly { readonly traffic: Traffic; readonly retries: number }[];
}

const header = ['way in', 'calls', 'lost', 'retries', 'p50 ms', 'p99 ms', 'hosts'];

/** The live table as text: one row a way in. */
export function formatTable(view: DemoView): string {
  const rows = view.rows.map(({ traffic, retries }) => [
    traffic.name,
    String(traffic.counts.calls),
    String(traffic.counts.lost),
    String(retries),
    traffic.quantile(0.5).toFixed(1),
    traffic.quantile(0.99).toFixed(1),
    [...traffic.counts.hosts]
      .sort(([a], [b]) => a.localeCompare(b))
      .map(([host, calls]) => `${host} ${calls}`)
      .join('  '),
  ]);
  const widths = header.map((title, i) =>
    Math.max(title.length, ...rows.map((row) => (row[i] ?? '').length)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => (i === 0 || i === 6 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join('   ')
      .trimEnd();
  return [
    `${styleText('bold', 'heddle demo')}  ${view.elapsedSeconds.toFixed(0)} s   admin http://${view.admin}/`,
    styleText('dim', line(header)),
    ...rows.map(line),
    view.event === '' ? '' : styleText('cyan', view.event),
  ].join('\n');
}

/** Repaints in place on a terminal; elsewhere one plain line a call. */
export class Screen {
  #lines = 0;

  show(text: string): void {
    if (!process.stdout.isTTY) return;
    if (this.#lines > 0) process.stdout.write(`\x1b[${this.#lines}A\x1b[J`);
    process.stdout.write(`${text}\n`);
    this.#lines = text.split('\n').length;
  }

  /** For those who read a log. */
  line(text: string): void {
    if (!process.stdout.isTTY) console.log(text);
  }
}
