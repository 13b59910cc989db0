import test from 'ava';
import { missingWork, splitAnswer } from '../../bench/harness/probe.ts';
import { idleFilters } from '../../bench/peers/heddle.ts';
import { fill } from '../../bench/peers/template.ts';

test('an answer is complete when as many bytes came as it announced', (t) => {
  const head = 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nx-served-by: a';
  t.is(splitAnswer('HTTP/1.1 200 OK\r\nContent-'), null);
  t.is(splitAnswer(`${head}\r\n\r\nab`), null);
  t.deepEqual(splitAnswer(`${head}\r\n\r\nabc`), { head, body: 'abc' });
});

test('a chunked answer is complete after its last chunk', (t) => {
  const head = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked';
  t.is(splitAnswer(`${head}\r\n\r\n1\r\na\r\n`), null);
  t.is(splitAnswer(`${head}\r\n\r\n1\r\na\r\n0\r\n\r\n`)?.head, head);
});

test('work that cannot be seen in the answer or in the forwarded head is named', (t) => {
  const answer = {
    head: 'HTTP/1.1 200 OK\r\nX-Served-By: a',
    body: 'GET / HTTP/1.1\r\nX-Forwarded-For: 127.0.0.1\r\nnot-x-request-id: 1\r\n\r\n',
  };
  t.deepEqual(missingWork(answer, { request: ['x-forwarded-for'], response: ['x-served-by'] }), []);
  t.deepEqual(missingWork(answer, { request: ['x-request-id'], response: ['vary'] }), [
    'the backend did not receive x-request-id',
    'the client did not receive vary',
  ]);
  t.deepEqual(missingWork({ head: 'HTTP/1.1 503 No', body: '' }, {}), ['it answered "HTTP/1.1 503 No"']);
});

test('a template takes values by name and refuses a name without one', (t) => {
  t.is(fill('listen {{port}} $host {{port}}', { port: 80 }), 'listen 80 $host 80');
  t.throws(() => fill('{{prot}}', { port: 80 }), { message: /\{\{prot\}\}/ });
});

test('a filter of which every counter is 0 or missing did nothing', (t) => {
  const text = [
    '# TYPE heddle_filter_ip_access_allowed_total counter',
    'heddle_filter_ip_access_allowed_total{listener="main"} 12',
    'heddle_filter_ip_access_denied_total{listener="main"} 0',
    'heddle_filter_cors_origin_valid_total{listener="main"} 0',
  ].join('\n');
  t.deepEqual(idleFilters(text, ['ip-access', 'cors', 'fault']), ['cors', 'fault']);
});
