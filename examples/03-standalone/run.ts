/**
 * The standalone proxy from its first request to its drain: starts a service and `heddle run` with the configuration
 * beside this file (on free ports), sends requests, changes the file, and ends it with SIGTERM.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const app = createServer((request, response) => response.end(`app saw ${request.url}\n`));
await once(app.listen(0, '127.0.0.1'), 'listening');

const folder = await mkdtemp(join(tmpdir(), 'heddle-example-'));
const configPath = join(folder, 'heddle.yaml');
const config = (await readFile(join(import.meta.dirname, 'heddle.yaml'), 'utf8'))
  .replace('127.0.0.1:3000', `127.0.0.1:${(app.address() as AddressInfo).port}`)
  .replace('127.0.0.1:8080', '127.0.0.1:0')
  .replace('127.0.0.1:9901', '127.0.0.1:0');
await writeFile(configPath, config);

const command = join(import.meta.dirname, '../../bin/heddle.js');
const proxy: ChildProcess = spawn(process.execPath, [command, 'run', '--config', configPath, '--json'], {
  stdio: ['ignore', 'pipe', 'pipe'],
});

/** The first line of a stream that `isWanted`; the log line of an event, say. */
async function line(
  stream: NodeJS.ReadableStream | null,
  isWanted: (text: string) => boolean,
): Promise<string> {
  if (stream === null) throw new Error('the stream is not a pipe');
  for await (const text of createInterface(stream)) if (isWanted(text)) return text;
  throw new Error('the proxy ended before it said so');
}

// With --json the one line on stdout says that everything listens, and where.
const started = JSON.parse(await line(proxy.stdout, () => true)) as {
  listeners: { gateway: string };
  admin: string;
};
const base = `http://${started.listeners.gateway}`;
for (const path of ['/health', '/app/users/7', '/old/users/7', '/nowhere']) {
  const response = await fetch(base + path);
  console.log(
    path,
    response.status,
    (await response.text()).trim(),
    response.headers.get('x-heddle-error') ?? '',
  );
}
console.log('ready:', (await (await fetch(`http://${started.admin}/ready`)).text()).trim());

// A changed file is taken over while the proxy runs. Write by rename, so that nobody reads half a file.
const reloaded = line(proxy.stderr, (text) => text.includes('configuration reloaded'));
await writeFile(`${configPath}.new`, config.replace('fine', 'still fine'));
await rename(`${configPath}.new`, configPath);
await reloaded;
console.log('/health', (await (await fetch(`${base}/health`)).text()).trim());

proxy.kill('SIGTERM');
const [exitCode] = await once(proxy, 'exit');
console.log('exit code', exitCode);

app.close();
app.closeAllConnections();
await rm(folder, { recursive: true });
