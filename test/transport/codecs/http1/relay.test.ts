import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { createRelay } from './relay.ts';

const golden = new URL('../../../golden/http1/', import.meta.url).pathname;
const read = (name: string): string => readFileSync(join(golden, name), 'latin1');
const names = readdirSync(golden)
  .filter((each) => each.endsWith('.request.in'))
  .map((each) => each.slice(0, -'.request.in'.length));

interface Passed {
  readonly up: string;
  readonly down: string;
}

/** Passes a request and its response through server and client codec, in pieces of the given sizes. */
function pass(name: string, requestBytes: number, responseBytes: number, ownsReads: boolean): Passed {
  const relay = createRelay({ underscoresInHeaders: 'allow', allowObsText: true });
  relay.down.ownsReads = ownsReads;
  relay.down.send(read(`${name}.request.in`), requestBytes);
  relay.up.send(read(`${name}.response.in`), responseBytes);
  relay.up.finish();
  return { up: relay.up.text, down: relay.down.text };
}

test('messages leave as the golden bytes say', (t) => {
  t.true(names.length >= 8);
  for (const name of names) {
    const { up, down } = pass(name, 1e9, 1e9, true);
    t.is(up, read(`${name}.request.out`), name);
    t.is(down, read(`${name}.response.out`), name);
  }
});

/** Chunk boundaries may move with the pieces; what they carry may not. */
const unchunked = (text: string): string => {
  if (!/transfer-encoding: chunked/.test(text)) return text;
  const bodyAt = text.lastIndexOf('\r\n\r\n', text.lastIndexOf('\r\n0\r\n')) + 4;
  return text.slice(0, bodyAt) + text.slice(bodyAt).replace(/(?:^|\r\n)[0-9a-f]+\r\n/g, '');
};

test('messages split at every byte in either direction leave the same', (t) => {
  for (const name of names) {
    const up = read(`${name}.request.out`);
    const down = read(`${name}.response.out`);
    for (const size of [1, 2, 3, 7]) {
      for (const ownsReads of [true, false]) {
        const got = pass(name, size, size, ownsReads);
        t.is(unchunked(got.up), unchunked(up), `${name} ${size}`);
        t.is(unchunked(got.down), unchunked(down), `${name} ${size}`);
      }
    }
  }
});

test('messages cut in two at each byte leave the same', (t) => {
  for (const name of names) {
    const request = read(`${name}.request.in`);
    const response = read(`${name}.response.in`);
    for (let cut = 1; cut < Math.max(request.length, response.length); cut++) {
      const got = pass(name, Math.min(cut, request.length), Math.min(cut, response.length), cut % 2 === 0);
      if (unchunked(got.up) !== unchunked(read(`${name}.request.out`)))
        t.fail(`${name} request at ${cut}: ${got.up}`);
      if (unchunked(got.down) !== unchunked(read(`${name}.response.out`))) {
        t.fail(`${name} response at ${cut}: ${got.down}`);
      }
    }
  }
  t.pass();
});
