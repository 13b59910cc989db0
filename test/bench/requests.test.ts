import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { hostNames, requestHead, writeRequests } from '../../bench/harness/requests.ts';

test('a request is a whole head with its host, its id and, with a body, its length', (t) => {
  const head = requestHead('a.test', 7, { bodyBytes: 10, answerBytes: 20 }, '0123456789abcdef');
  t.regex(head, /^POST \/api\/v1\/items\/7\?size=20 HTTP\/1\.1\r\nHost: a\.test\r\n/);
  t.regex(head, /\r\nX-Bench-Id: 0123456789abcdef\r\n/);
  t.regex(head, /\r\nContent-Length: 10\r\n\r\n$/);
  t.regex(requestHead('a.test', 1), /^GET /);
});

test('host names differ', (t) => {
  t.is(new Set(hostNames(200)).size, 200);
});

test('the file for the load generator holds each head once behind its length', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'heddle-bench-test-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const bytes = readFileSync(writeRequests(directory, { hosts: 3 }));
  const heads: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUInt32LE(at);
    heads.push(bytes.toString('latin1', at + 4, at + 4 + length));
    at += 4 + length;
  }
  t.deepEqual(
    heads,
    hostNames(3).map((host, index) => requestHead(host, index)),
  );
  for (const head of heads) t.is(head.split('#'.repeat(16)).length, 2);
});
