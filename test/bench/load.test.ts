import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { Children } from '../../bench/harness/children.ts';
import { holdLoad, type LoadPlace, runLoad, startBackend } from '../../bench/harness/load.ts';
import { Unavailable } from '../../bench/harness/suite.ts';
import { compileTools } from '../../bench/harness/tools.ts';

const directory = mkdtempSync(join(tmpdir(), 'heddle-bench-test-'));
test.after.always(() => rmSync(directory, { recursive: true, force: true }));

/** Runs `body` with compiled tools; where they cannot be compiled there is nothing to test. */
async function withTools(t: ExecutionContext, body: (place: LoadPlace) => Promise<void>): Promise<void> {
  try {
    const tools = await compileTools();
    await using children = new Children(tools.launch);
    await body({ tools, children, core: null, directory });
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    t.pass(error.message);
  }
}

/** A server that answers every request with what `answer` says, in as many writes as it gives pieces. */
async function serve(
  answer: (request: string) => readonly string[],
): Promise<{ port: number; server: Server }> {
  const server = createServer((socket: Socket) => {
    let text = '';
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      if (!text.endsWith('\r\n\r\n')) return;
      const pieces = [...answer(text)];
      text = '';
      const next = (): void => {
        const piece = pieces.shift();
        if (piece !== undefined) socket.write(piece, 'latin1', () => setImmediate(next));
      };
      next();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as { port: number }).port, server };
}

const idOf = (request: string): string => /x-bench-id: (\S{16})/i.exec(request)?.[1] ?? '';
const shape = { answerBytes: 16 };
const plan = { connections: 2, seconds: 0.05, shape };

test.serial('closed loop, fixed rate and held connections all check out against the backend', (t) =>
  withTools(t, async (place) => {
    const backend = await startBackend(place);
    const closed = await runLoad(place, { port: backend.port, connections: 8, seconds: 0.1 });
    t.is(closed.errors, 0);
    t.true(closed.answered > 100 && closed.p50Us > 0 && closed.p99Us >= closed.p50Us);
    const rated = await runLoad(place, { port: backend.port, connections: 8, seconds: 0.2, rate: 500 });
    t.is(rated.errors, 0);
    t.true(Math.abs(rated.answered - 100) <= 15, `${rated.answered} answers in 0.2 s at 500 a second`);
    const held = holdLoad(place, { port: backend.port, connections: 100, seconds: 0 }, 10);
    t.like(await held.ready, { answered: 100, errors: 0 });
    t.like(await held.again(), { answered: 100, errors: 0 });
    await held.close();
  }),
);

test.serial('a megabyte each way is checked byte by byte on both sides', (t) =>
  withTools(t, async (place) => {
    const backend = await startBackend(place);
    const large = { bodyBytes: 2 ** 20, answerBytes: 2 ** 20 };
    const report = await runLoad(place, { port: backend.port, connections: 2, seconds: 0.1, shape: large });
    t.is(report.errors, 0, report.firstError);
    t.true(report.answered >= 2);
  }),
);

test.serial('answers cut anywhere, chunked ones and interim ones are understood', (t) =>
  withTools(t, async (place) => {
    const { port, server } = await serve((request) => [
      'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.',
      '1 200 OK\r\nTransfer-Enc',
      'oding: chunked\r\n\r\n8;a=b\r\n',
      `${idOf(request).slice(0, 8)}\r\n8\r\n${idOf(request).slice(8)}`,
      '\r\n0\r\ntrailer: x\r',
      '\n\r\n',
    ]);
    const report = await runLoad(place, { port, ...plan });
    server.close();
    t.is(report.errors, 0, report.firstError);
    t.true(report.answered > 0);
  }),
);

const wrong: readonly (readonly [string, RegExp, (id: string) => string])[] = [
  ['another status', /^status \(503\)/, (id) => `HTTP/1.1 503 No\r\ncontent-length: 16\r\n\r\n${id}`],
  ['a short body', /^length \(8\)/, (id) => `HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\n${id.slice(8)}`],
  ["another request's body", /^body/, () => 'HTTP/1.1 200 OK\r\ncontent-length: 16\r\n\r\nffffffffffffffff'],
  ['no length at all', /^framing/, (id) => `HTTP/1.1 200 OK\r\n\r\n${id}`],
];

for (const [what, message, answer] of wrong) {
  test.serial(`an answer with ${what} is an error`, (t) =>
    withTools(t, async (place) => {
      const { port, server } = await serve((request) => [answer(idOf(request))]);
      const report = await runLoad(place, { port, ...plan });
      server.close();
      t.true(report.errors > 0);
      t.is(report.answered, 0);
      t.regex(report.firstError, message);
    }),
  );
}

test.serial('a connection closed after an answer that said so is dialled anew and is no error', (t) =>
  withTools(t, async (place) => {
    const { port, server } = await serve((request) => [
      `HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 16\r\n\r\n${idOf(request)}`,
    ]);
    const report = await runLoad(place, { port, ...plan });
    server.close();
    t.is(report.errors, 0, report.firstError);
    t.true(report.reconnects > 0 && report.answered > 2);
  }),
);
