import test from 'ava';
import { reportOf } from '../../bench/harness/wrk-load.ts';

const printed = (more: string): string => `Running 2s test @ https://127.0.0.1:4433/
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     2.50ms    1.20ms  52.82ms   75.00%
    Req/Sec    11.67k     0.50k   12.10k    80.00%
  Latency Distribution
     50%    1.87ms
     75%    2.90ms
     90%    4.00ms
     99%   49.30ms
  23401 requests in 2.01s, 26.10MB read
${more}Requests/sec:  11642.29
Transfer/sec:     12.99MB
0m0.00s 0m0.00s
0m0.80s 0m0.95s
`;

test('what wrk prints is read: time, answers, percentiles, CPU of the generator', (t) => {
  const report = reportOf(printed(''));
  t.like(report, { answered: 23_401, seconds: 2.01, errors: 0, p50Us: 1870, p90Us: 4000, p99Us: 49_300 });
  t.is(report.cpuSeconds, 1.75);
  t.is(report.maxUs, 52_820);
  t.is(report.meanUs, 2500);
});

test('errors and statuses that are no success are counted, and an output that is none answers nothing', (t) => {
  const errors = '  Socket errors: connect 1, read 2, write 0, timeout 3\n  Non-2xx or 3xx responses: 4\n';
  const report = reportOf(printed(errors));
  t.is(report.errors, 10);
  t.is(report.answered, 23_397);
  t.regex(report.firstError, /connect 1/);
  t.is(reportOf('sh: wrk: not found').answered, 0);
});
