import { globSync } from 'node:fs';
import test from 'ava';
import { runProgram } from './fixtures/run-program.ts';

/** What each example must print, among other lines. */
const expected: Readonly<Record<string, readonly RegExp[]>> = {
  '01-in-process.ts': [/200 \{ instance: 'users-1'/, /200 \{ instance: 'users-2'/, /path: '\/42\?full=1'/],
  '02-fetch-and-handle.ts': [
    /^201 \{ accepted: 'loom' \}$/m,
    /^405$/m,
    /^ERR_CLUSTER_UNKNOWN no_cluster retry: no$/m,
    /^ping$/m,
  ],
  '03-standalone/run.ts': [
    /^\/health 200 fine/m,
    /^\/app\/users\/7 200 app saw \/users\/7/m,
    /^\/nowhere 404 no_route no_route$/m,
    /^ready: ready$/m,
    /^\/health still fine$/m,
    /^exit code 0$/m,
  ],
  '04-own-filter.ts': [
    /^\/private "" 401 A KEY IS NEEDED$/m,
    /^\/private "secret" 200 HELLO FROM \/PRIVATE$/m,
    /^\/public "" 200 HELLO FROM \/PUBLIC$/m,
  ],
  '05-own-balancer.ts': [/^blue was served by \w$/m, /^green was served by \w$/m, /^red was served by \w$/m],
  '06-file-discovery.ts': [/^served by one two$/m, /^served by three two$/m],
  '07-retries-and-limits.ts': [
    /^GET \/flaky 200 try 3$/m,
    /^POST \/flaky 503 try 4$/m,
    /^GET \/slow 504 route_timeout$/m,
    /^GET \/slow 503 request_overflow$/m,
    /^GET \/limited 200 fine$/m,
    /^GET \/limited 429 rate_limited$/m,
  ],
  '08-rpc.ts': [
    /^by method: \{ id: 42, name: 'ann', since: 1970-01-01T00:00:00.000Z \}$/m,
    /^by method: ERR_RPC_EXCEPTION com\.example\.NoSuchUserException no user 101$/m,
    /^by HTTP: 200 \{"id":42,"name":"ann","since":"1970-01-01T00:00:00\.000Z"\}$/m,
    /^by HTTP: 500 /m,
  ],
  '09-routing.ts': [
    /^\/users\/42\/orders\/7 orders saw \/v2\/42\/orders\/7$/m,
    /^the next version saw POST \/Checkout with 4 bytes$/m,
    /^\/search found by the quick host$/m,
    /^\/old orders saw \/v2\/new, asked for as \/old$/m,
    /^three requests with the cookie: one host$/m,
  ],
  '10-mtls.ts': [
    /^issued spiffe:\/\/dev\.local\/gateway$/m,
    /^gateway: hello, gateway$/m,
    /^stranger: refused$/m,
    /^rotated: 3 answers: 20$/m,
  ],
  '12-worker.ts': [
    /^served \/42 for everybody$/m,
    /^\{ accepted: 'loom' \}$/m,
    /^ERR_WORKER_LOST retry: ifReused$/m,
    /^again: served \/44 for everybody$/m,
  ],
  '13-pooled-filter.ts': [/^3 \{"warp":2,"and":2,"weft":1\}$/m, /^ERR_FILTER_FAILED$/m, /^null never ends$/m],
  '15-grpc.ts': [
    /^hello ann$/m,
    /^hello flaky$/m,
    /^Greet ERR_GRPC_STATUS DEADLINE_EXCEEDED route_timeout$/m,
    /^Forget ERR_GRPC_STATUS UNIMPLEMENTED no_route$/m,
  ],
  'monitor/stall.ts': [/^captures go to /m],
};

/** Examples with a server: the interop checks discovery-zookeeper and discovery-nacos run them against a real one. */
const served: Readonly<Record<string, { readonly variable: string; readonly says: RegExp }>> = {
  '11-zookeeper.ts': {
    variable: 'ZOOKEEPER',
    says: /^skipped: no ZooKeeper at 127\.0\.0\.1:1; docker run .*$/m,
  },
  '14-nacos.ts': { variable: 'NACOS', says: /^skipped: no Nacos at 127\.0\.0\.1:1; .*$/m },
};

/** What examples load. */
const modules: readonly string[] = ['pool/word-count.ts', 'worker/tenant.ts'];

for (const [file, lines] of Object.entries(expected)) {
  test(`the example ${file} runs and ends by itself`, async (t) => {
    const { exitCode, stdout, stderr } = await runProgram([`examples/${file}`]);
    t.is(stderr, '');
    t.is(exitCode, 0);
    for (const line of lines) t.regex(stdout, line);
  });
}

for (const [file, { variable, says }] of Object.entries(served)) {
  test(`the example ${file} says how to start its server where there is none`, async (t) => {
    const env = { [variable]: '127.0.0.1:1' };
    const { exitCode, stdout, stderr } = await runProgram([`examples/${file}`], { env });
    t.is(stderr, '');
    t.is(exitCode, 0);
    t.regex(stdout, says);
  });
}

test('every example is run', (t) => {
  const known = [...Object.keys(expected), ...Object.keys(served), ...modules];
  t.deepEqual(globSync('**/*.ts', { cwd: 'examples' }).toSorted(), known.toSorted());
});
