/** Cost of one access log line. `npx node bench/micro/access-log.bench.ts` */
import type { LogOutputs } from '../../src/core/contract/log-output.ts';
import { createAccessLog } from '../../src/core/observe/access-log/access-log.ts';
import { compileValue } from '../../src/core/observe/access-log/compile-value.ts';
import { createRig, peer, route, scanHead, streamOf } from '../../test/core/filters/harness.ts';
import { report } from './measure.ts';

const head = [
  'GET /users/7?full=1 HTTP/1.1',
  'host: users.example',
  'user-agent: Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0',
  'accept: application/json',
  'accept-encoding: gzip, br',
  'x-forwarded-for: 192.0.2.7',
  'x-request-id: 0f8fad5b-d9cb-469f-a165-70867728950e',
  'cookie: session=abcdef0123456789',
  '',
].join('\r\n');

const s = streamOf(head);
scanHead(s.res, 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1024\r\n');
s.peer = peer('192.0.2.7');
s.route = route();
s.host = { label: Buffer.from('10.0.0.1:8080') } as never;
s.responseBytes = 1024;
s.requestDoneMs = 1000.2;
s.firstByteMs = 1002;
s.endMs = 1003.5;

const rig = createRig();
const nowhere: LogOutputs = { open: () => ({ write: () => true, gathering: new Set() }) };
const context = { clock: rig.clock, metrics: rig.metrics, logs: nowhere };
const standard = createAccessLog({ path: 'x' }, context);
const envoy = createAccessLog({ path: 'x', format: 'envoy' }, context);
const mosn = createAccessLog({ path: 'x', format: 'mosn' }, context);
const json = createAccessLog(
  {
    path: 'x',
    json: {
      time: '%START_TIME%',
      method: '%REQ(:METHOD)%',
      path: '%REQ(:PATH)%',
      status: '%RESPONSE_CODE%',
      durationMs: '%DURATION%',
      bytes: '%BYTES_SENT%',
      host: '%UPSTREAM_HOST%',
    },
  },
  context,
);
const value = compileValue('by-%ROUTE_NAME%');

report('default line', () => standard.write(s), 250);
report('Envoy default line', () => envoy.write(s));
report('MOSN default line', () => mosn.write(s));
report('JSON line of seven keys', () => json.write(s));
report('header value with one operator', () => void value(s));
