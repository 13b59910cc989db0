import test from 'ava';
import { reportOf } from '../../bench/harness/h2-load.ts';

const printed = (
  finished: string,
  done: string,
): string => `spawning thread #0: 32 total client(s). 400 total requests
finished in ${finished}, 7383.23 req/s, 353.66KB/s
requests: 400 total, 400 started, 400 done, ${done}, 0 errored, 0 timeout
status codes: 398 2xx, 0 3xx, 0 4xx, 2 5xx
traffic: 1.2MB (1258291) total, 300B (300) headers (space savings 99.00%), 1.1MB (1153433) data
                     min         max         mean         sd        +/- sd
time for request:      597us    139.04ms     10.68ms     13.81ms    88.71%
time for connect:      627us       824us       719us        82us    50.00%
0m0.01s 0m0.00s
1m2.50s 0m0.25s
`;

test('what h2load prints is read: time, answers, statuses that are no success, CPU of the generator', (t) => {
  const report = reportOf(printed('2.50s', '399 succeeded, 1 failed'), 2883);
  t.is(report.seconds, 2.5);
  t.is(report.answered, 397);
  t.is(report.errors, 3);
  t.regex(report.firstError, /2 5xx/);
  t.is(report.cpuSeconds, 62.75);
  t.is(report.maxUs, 139_040);
  t.is(report.meanUs, 10_680);
});

test('units and an output that is none', (t) => {
  t.is(reportOf(printed('32.5ms', '400 succeeded, 0 failed'), 2883).seconds, 0.0325);
  t.is(reportOf('h2load: unrecognized option', 1).answered, 0);
});

test('answers of status 200 without their body, as errors of gRPC are, are no answers', (t) => {
  const report = reportOf(printed('1s', '400 succeeded, 0 failed').replace('2 5xx', '0 5xx'), 3000);
  t.is(report.answered, 384);
  t.is(report.errors, 16);
  t.is(report.firstError, '16 answers without their body');
});
