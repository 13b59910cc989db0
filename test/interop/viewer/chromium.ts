import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const startTimeoutMs = 20_000;

/** A page of a real headless Chromium, driven over its debugging protocol. */
export interface Page {
  open(url: string): Promise<void>;
  /** The JSON-safe value of an expression; promises are awaited. */
  evaluate<Value>(expression: string): Promise<Value>;
  /** Asks again until the expression is true. */
  waitFor(what: string, expression: string, timeoutMs?: number): Promise<void>;
  screenshot(path: string): Promise<void>;
  /** Every URL asked for so far, and every error in the console. */
  readonly requests: string[];
  readonly errors: string[];
  close(): Promise<void>;
}

export function findChromium(): string | undefined {
  const places = [
    process.env['CHROMIUM'],
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome',
  ];
  return places.find((place) => place !== undefined && existsSync(place));
}

/**
 * Starts Chromium without any name service: a request that leaves this machine fails.
 *
 * @param flags more of its command line
 */
export async function openPage(
  binary: string,
  size = { width: 1400, height: 1000 },
  flags: readonly string[] = [],
): Promise<Page> {
  const profile = await mkdtemp(join(tmpdir(), 'heddle-chromium-'));
  const browser = spawn(
    binary,
    [
      '--headless=new',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-dev-shm-usage',
      '--disable-background-networking',
      '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
      `--window-size=${size.width},${size.height}`,
      '--remote-debugging-port=0',
      `--user-data-dir=${profile}`,
      ...flags,
      'about:blank',
    ],
    { stdio: 'ignore' },
  );
  const port = await readPort(join(profile, 'DevToolsActivePort'));
  const targets = (await (await fetch(`http://127.0.0.1:${port}/json/list`)).json()) as {
    readonly type: string;
    readonly webSocketDebuggerUrl: string;
  }[];
  const socket = new WebSocket(targets.find(({ type }) => type === 'page')?.webSocketDebuggerUrl ?? '');
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = reject;
  });
  const page = await createPage(socket);
  return {
    ...page,
    close: async () => {
      socket.close();
      const ended = new Promise((resolve) => browser.once('exit', resolve));
      browser.kill();
      await ended;
      await rm(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

async function readPort(path: string): Promise<number> {
  const deadlineMs = performance.now() + startTimeoutMs;
  while (performance.now() < deadlineMs) {
    const [port] = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : [];
    if (port) return Number(port);
    await delay(50);
  }
  throw new Error('Chromium did not start in time');
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
}

async function createPage(socket: WebSocket): Promise<Omit<Page, 'close'>> {
  const waiting = new Map<number, (message: Message) => void>();
  const requests: string[] = [];
  const errors: string[] = [];
  let nextId = 1;
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(String(data)) as Message;
    if (message.id !== undefined) waiting.get(message.id)?.(message);
    else collect(message, requests, errors);
  };
  const call = async (method: string, params: object = {}): Promise<Record<string, unknown>> => {
    const id = nextId++;
    const answer = await new Promise<Message>((resolve) => {
      waiting.set(id, resolve);
      socket.send(JSON.stringify({ id, method, params }));
    });
    waiting.delete(id);
    if (answer.error !== undefined) throw new Error(`${method}: ${answer.error.message}`);
    return answer.result ?? {};
  };
  for (const domain of ['Page', 'Runtime', 'Network', 'Log']) await call(`${domain}.enable`);
  const evaluate = async <Value>(expression: string): Promise<Value> => {
    const { result, exceptionDetails } = await call('Runtime.evaluate', {
      expression,
      returnByValue: true,
      awaitPromise: true,
    });
    if (exceptionDetails !== undefined) throw new Error(`${expression}: ${JSON.stringify(exceptionDetails)}`);
    return (result as { value: Value }).value;
  };
  return {
    requests,
    errors,
    evaluate,
    open: async (url) => {
      await call('Page.navigate', { url });
    },
    waitFor: async (what, expression, timeoutMs = 15_000) => {
      const deadlineMs = performance.now() + timeoutMs;
      while (!(await evaluate<boolean>(expression).catch(() => false))) {
        if (performance.now() > deadlineMs)
          throw new Error(`still waiting for: ${what}; console: ${errors.join(' | ')}`);
        await delay(50);
      }
    },
    screenshot: async (path) => {
      const { data } = await call('Page.captureScreenshot', { format: 'png', captureBeyondViewport: true });
      await writeFile(path, Buffer.from(data as string, 'base64'));
    },
  };
}

function collect({ method, params = {} }: Message, requests: string[], errors: string[]): void {
  if (method === 'Network.requestWillBeSent') requests.push((params['request'] as { url: string }).url);
  if (method === 'Runtime.exceptionThrown')
    errors.push(JSON.stringify(params['exceptionDetails']).slice(0, 500));
  if (method !== 'Log.entryAdded') return;
  const { level, text, url } = params['entry'] as { level: string; text: string; url?: string };
  if (level === 'error') errors.push(`${text} ${url ?? ''}`);
}
