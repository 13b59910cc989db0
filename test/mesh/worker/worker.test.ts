import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { type Attributes, context, type Span, type SpanStatus, trace } from '@opentelemetry/api';
import test from 'ava';
import { collectStreams } from '../../../src/diagnostics/hooks/streams.ts';
import { createMesh, type StreamFilterDefinition } from '../../../src/index.ts';
import { runProgram } from '../../fixtures/run-program.ts';
import { type Echoed, echo, eventually, upstream } from '../support.ts';
import { marks, recordingLogger, startMarked } from './support.ts';

const filter: StreamFilterDefinition<unknown> = {
  name: 'mine',
  stage: 'beforeRoute',
  config: { '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value }) } },
  create: () => ({}),
};

test.serial(
  'what holds functions is refused in a worker and says what to do; a module is taken in both modes',
  async (t) => {
    const refused = await t.throwsAsync(createMesh({ mode: 'worker' }, { use: [filter] }));
    t.like(refused, { code: 'ERR_WORKER_VALUE', source: 'config' });
    t.regex(refused?.message ?? '', /use\[0\], the extension "mine", holds functions.*new URL/);
    t.like(await t.throwsAsync(createMesh({ mode: 'worker' }, { surroundings: {} })), {
      code: 'ERR_WORKER_VALUE',
    });
    const config = { clusters: [{ name: 'a', endpoints: () => [] }], mode: 'worker' } as never;
    const error = await t.throwsAsync(createMesh(config));
    t.like(error, { code: 'ERR_WORKER_VALUE' });
    t.regex(error?.message ?? '', /config\.clusters\[0\]\.endpoints is a function/);
    for (const bad of ['./relative.js', 'https://example.com/filter.js', 'file:///nowhere/at/all.js']) {
      t.like(await t.throwsAsync(createMesh({}, { use: [bad] })), { code: 'ERR_EXTENSION_LOAD' }, bad);
    }
    t.like(await t.throwsAsync(createMesh({ mode: 'worker' }, { use: ['file:///nowhere.js'] })), {
      code: 'ERR_EXTENSION_LOAD',
    });
    const { address } = await upstream(t, echo);
    const clusters = [{ name: 'users', endpoints: [address] }];
    const filters = [{ name: 'marks', config: { mark: 'in-process' } }];
    await using here = await createMesh({ clusters, inProcess: { filters } }, { use: [marks.href] });
    t.is(((await (await here.fetch('http://users/')).json()) as Echoed).headers['x-mark'], 'in-process');
  },
);

test.serial(
  'a worker runs filters of modules, sends its log lines here, and drops those beyond a bound with their count',
  async (t) => {
    const { address } = await upstream(t, echo);
    const logger = recordingLogger();
    const mesh = await startMarked({ clusters: [{ name: 'users', endpoints: [address] }] }, { logger });
    t.teardown(() => mesh.close());
    const response = await mesh.request({ authority: 'users', headers: { 'x-end': 'log' } });
    t.is(((await response.json()) as Echoed).headers['x-mark'], 'seen');
    const dropped = await eventually(
      () => logger.lines.find(({ message }) => message.includes('were dropped')),
      'the count of dropped lines',
    );
    t.deepEqual(logger.lines[0], {
      level: 'warn',
      message: 'a line from the filter',
      fields: { mark: 'seen' },
    });
    t.true((dropped.fields?.['dropped'] as number) > 1000);
    t.true(logger.lines.length < 400);
    t.like((await mesh.health()).parts[0], { part: 'worker', status: 'ok' });
    await mesh.close();
    t.throws(() => mesh.openHttp(), { code: 'ERR_MESH_CLOSED' });
    t.like(await t.throwsAsync(mesh.connect('users')), { code: 'ERR_MESH_CLOSED' });
    t.like(await t.throwsAsync(mesh.reload({})), { code: 'ERR_MESH_CLOSED' });
    t.false(mesh.knows('users'));
  },
);

interface Made {
  readonly name: string;
  readonly parent: string | undefined;
  readonly attributes: Attributes;
  status: SpanStatus | null;
  ended: boolean;
}

test.serial(
  'spans are made by the provider of this thread, under its active context, and say how the stream ended',
  async (t) => {
    const made: Made[] = [];
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    const tracer = {
      startSpan(
        name: string,
        options: { attributes?: Attributes },
        parent: Parameters<typeof trace.getSpanContext>[0],
      ) {
        const one: Made = {
          name,
          parent: trace.getSpanContext(parent)?.spanId,
          attributes: { ...options.attributes },
          status: null,
          ended: false,
        };
        made.push(one);
        return {
          spanContext: () => ({ traceId, spanId: `000000000000000${made.length}`, traceFlags: 1 }),
          setAttribute(key: string, value: string) {
            one.attributes[key] = value;
          },
          setStatus(status: SpanStatus) {
            one.status = status;
          },
          updateName() {},
          end() {
            one.ended = true;
          },
        } as unknown as Span;
      },
    };
    trace.setGlobalTracerProvider({ getTracer: () => tracer } as never);
    const active = trace.setSpanContext(context.active(), {
      traceId,
      spanId: 'aaaaaaaaaaaaaaaa',
      traceFlags: 1,
    });
    context.setGlobalContextManager({
      active: () => active,
      with: (_: unknown, run: () => unknown) => run(),
      bind: (_: unknown, run: unknown) => run,
      enable() {
        return this;
      },
      disable() {
        return this;
      },
    } as never);
    t.teardown(() => {
      trace.disable();
      context.disable();
    });
    const { address } = await upstream(t, echo);
    await using mesh = await startMarked({
      clusters: [{ name: 'users', endpoints: [address] }, { name: 'empty' }],
    });
    const got = (await (await mesh.fetch('http://users/a')).json()) as Echoed;
    t.is(
      got.headers['traceparent'],
      `00-${traceId}-0000000000000001-01`,
      'the position of the span goes upstream as it is',
    );
    await t.throwsAsync(mesh.fetch('http://empty/'));
    await t.throwsAsync(mesh.request({ authority: 'users', headers: { 'x-end': 'exit' } }));
    await eventually(() => made.length === 3 && made.every(({ ended }) => ended), 'the spans end');
    const [fine, failed, lost] = made;
    t.is(fine?.parent, 'aaaaaaaaaaaaaaaa');
    t.like(fine?.attributes, {
      'http.response.status_code': 200,
      'heddle.cluster': 'users',
      'heddle.upstream.address': address,
    });
    t.is(fine?.status, null);
    t.like(failed?.attributes, { 'error.type': 'no_host', 'heddle.cluster': 'empty' });
    t.truthy(failed?.status);
    t.like(lost?.attributes, { 'error.type': 'worker_lost' });
  },
);

test.serial('a monitor of this thread is told of the streams in the worker', async (t) => {
  const held = Promise.withResolvers<void>();
  const { address } = await upstream(t, (_request, response) => void held.promise.then(() => response.end()));
  await using mesh = await createMesh(
    { clusters: [{ name: 'slow', endpoints: [address] }], mode: 'worker' },
    { tracksStreams: true },
  );
  const call = mesh.fetch('http://slow/');
  const seen = await eventually(() => {
    const { count, groups } = collectStreams();
    return count === 1 && groups[0]?.phase === 'awaitUpstream' ? groups[0] : undefined;
  }, 'the stream is told');
  t.like(seen, { upstream: 'slow', route: 'slow', count: 1 });
  held.resolve();
  await (await call).text();
  t.is(collectStreams().count, 0);
});

test.serial(
  'a program ends when nothing is under way, not before its calls, and not while it listens',
  async (t) => {
    const program = fileURLToPath(new URL('../../fixtures/worker-life.ts', import.meta.url));
    const run = (how: string, input?: string) =>
      runProgram([program, how], input === undefined ? {} : { input });
    const [calls, listens] = [await run('calls'), await run('listens', 'close\n')];
    for (const { exitCode, stderr } of [calls, listens]) t.deepEqual([exitCode, stderr], [0, '']);
    t.is(calls.stdout, 'the end of the program\nanswered\n');
    t.regex(listens.stdout, /^listens on 127\.0\.0\.1:\d+\nthe end of the program\nclosed\n$/);
  },
);

const loops = Number(process.env['HEDDLE_WORKER_LOOPS'] ?? 2);

test.serial(`${loops} starts and stops leave no thread, port, timer or listener`, async (t) => {
  const resources = (): Record<string, number> => {
    const counts: Record<string, number> = {};
    for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1;
    return counts;
  };
  const one = async (): Promise<void> => {
    const mesh = await createMesh({ mode: 'worker' });
    mesh.handle('app', (request) => new Response(request.body));
    const tunnel = once(mesh.openHttp().end('nonsense\r\n\r\n').resume(), 'close');
    t.is(await (await mesh.fetch('http://app/', { method: 'POST', body: 'x' })).text(), 'x');
    await tunnel;
    await mesh.close();
  };
  await one();
  const before = resources();
  for (let i = 0; i < loops; i++) await one();
  await eventually(
    () => {
      const after = resources();
      return ['Worker', 'MessagePort', 'Timeout', 'TCPSocketWrap', 'TCPServerWrap'].every(
        (kind) => (after[kind] ?? 0) <= (before[kind] ?? 0),
      );
    },
    `nothing is left: before ${JSON.stringify(before)}, after ${JSON.stringify(resources())}`,
  );
  t.pass();
});
