import test from 'ava';
import { accessLog } from '../../../src/core/filters/access-log.ts';
import { counted, createFilter, createRig, parseConfig, route, scanHead, streamOf } from './harness.ts';

const finished = (status: number, tookMs = 5) => {
  const s = streamOf();
  if (status > 0) scanHead(s.res, `HTTP/1.1 ${status} X\r\n`);
  s.endMs = s.startMs + tookMs;
  return s;
};

test('writes a line when the stream has ended', (t) => {
  const rig = createRig();
  const filter = createFilter(
    accessLog,
    { path: '/var/log/a.log', format: '%REQ(:PATH)% %RESPONSE_CODE%' },
    rig,
  );
  filter.onStreamEnd?.(finished(200));
  t.deepEqual(rig.logs.open('/var/log/a.log').lines(), ['/users/7?full=1 200']);
  t.is(counted(rig, 'heddle_filter_access_log_written_total'), 1);
});

test('writes only what the conditions ask for; what ended early is always among it', (t) => {
  const rig = createRig();
  const filter = createFilter(
    accessLog,
    { format: '%RESPONSE_CODE% %DURATION%', minStatus: 500, minDurationMs: 10 },
    rig,
  );
  const reset = finished(0, 20);
  reset.code = 1;
  for (const s of [finished(200, 50), finished(503, 50), finished(503, 5), reset]) filter.onStreamEnd?.(s);
  t.deepEqual(rig.logs.open('stdout').lines(), ['503 50', '0 20']);
});

test('samples', (t) => {
  const rig = createRig();
  const filter = createFilter(accessLog, { samplePercent: 10 }, rig);
  for (let i = 0; i < 5000; i++) filter.onStreamEnd?.(finished(200));
  const lines = rig.logs.open('stdout').lines().length;
  t.true(Math.abs(lines - 500) < 4 * Math.sqrt(5000 * 0.1 * 0.9), String(lines));
  const none = createFilter(accessLog, { path: 'stderr', samplePercent: 0 }, rig);
  none.onStreamEnd?.(finished(200));
  t.is(rig.logs.open('stderr').lines().length, 0);
});

test('a route may log elsewhere, in another form, or not at all', (t) => {
  const rig = createRig();
  const filter = createFilter(accessLog, { format: 'own' }, rig);
  const other = finished(200);
  other.route = route({
    filterConfigs: [parseConfig(accessLog.config, { path: 'stderr', json: { code: '%RESPONSE_CODE%' } })],
  });
  filter.onStreamEnd?.(other);
  const off = finished(200);
  off.route = route({ filterConfigs: [false] });
  filter.onStreamEnd?.(off);
  t.deepEqual(rig.logs.open('stdout').lines(), []);
  t.deepEqual(rig.logs.open('stderr').lines(), ['{"code":200}']);
});

test('formats with problems, format and json together, and relative paths are refused', (t) => {
  const refused = (input: unknown) => t.throws(() => parseConfig(accessLog.config, input))?.message ?? '';
  t.regex(refused({ format: '%DURATON%' }), /did you mean %DURATION%/);
  t.regex(refused({ json: { a: '%DURATON%' } }), /json\.a: .*did you mean %DURATION%/);
  t.regex(refused({ format: 'x', json: {} }), /not both/);
  t.truthy(refused({ path: 'access.log' }));
});
