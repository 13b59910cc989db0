import { spawn } from 'node:child_process';
import { dirname } from 'node:path';
import type { Capture, Sink } from '../../core/contract/sink.ts';

export interface CommandSinkConfig {
  readonly command: readonly string[];
  readonly timeoutMs: number;
}

/** Runs a program per capture, without a shell, so that nothing in a name can become a command. */
export function commandSink(config: CommandSinkConfig): Sink {
  return { name: 'command', deliver: (capture, signal) => run(config, capture, signal) };
}

function run(config: CommandSinkConfig, capture: Capture, signal: AbortSignal): Promise<void> {
  const values = placeholders(capture);
  const [program = '', ...rest] = config.command.map((part) =>
    part.replaceAll(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole),
  );
  return new Promise((resolve, reject) => {
    const limited = AbortSignal.any([signal, AbortSignal.timeout(config.timeoutMs)]);
    const child = spawn(program, rest, { stdio: ['ignore', 'ignore', 'pipe'], signal: limited });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString('utf8')).slice(0, 500);
    });
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`${program} ended with ${code}: ${said.trim()}`));
    });
  });
}

function placeholders(capture: Capture): Record<string, string> {
  const page = capture.files.find((file) => file.format === 'markdown');
  const verdict = capture.verdict as { cause?: { name?: string } };
  return {
    id: capture.id,
    rule: capture.trigger.rule,
    cause: verdict.cause?.name ?? 'not-known',
    verdict: page?.path ?? '',
    directory: page === undefined ? '' : dirname(page.path),
  };
}
