import test from 'ava';
import { HeadView } from '../../../../src/core/base/head-view.ts';
import { headerField } from '../../../../src/core/base/header-field.ts';
import { defaultServerLimits } from '../../../../src/testing/fake-owners.ts';
import { encodeRequest, Framing, headBound } from '../../../../src/transport/codecs/http1/encode.ts';
import { scanRequest } from '../../../../src/transport/codecs/http1/scan.ts';

const wire = 'GET /a?b HTTP/1.1\r\nHost: users.example\r\nAccept: */*\r\n';

/** @param before, behind bytes around the head in the buffer that it was read into */
function scanned(before: number, behind: number): HeadView {
  const head = new HeadView();
  const buf = Buffer.from(`${'x'.repeat(before)}${wire}\r\n${'y'.repeat(behind)}`, 'latin1');
  scanRequest(head, buf, before, buf.length, defaultServerLimits, 0);
  return head;
}

/** `target` is full of other bytes before. */
function encoded(head: HeadView, target: Buffer, at: number): string {
  target.fill('z');
  return target.toString('latin1', at, encodeRequest(head, target, at, Framing.none, -1));
}

test('a head leaves the same whether or not it fills the buffer that it came in', (t) => {
  for (const [before, behind] of [
    [0, 0],
    [7, 0],
    [0, 9],
    [7, 9],
  ] as const) {
    const head = scanned(before, behind);
    t.is(encoded(head, Buffer.alloc(headBound(head)), 0), `${wire}\r\n`);
    t.is(encoded(head, Buffer.alloc(4096), 100), `${wire}\r\n`);
  }
});

test('added fields leave whole however many they are, and nothing that stands behind them', (t) => {
  const field = headerField('X-Served-By', 'heddle');
  for (const count of [1, 2, 10, 13, 40, 120, 400]) {
    const head = scanned(0, 0);
    // What an earlier request on the same stream left in the buffer of added fields.
    head.add('x-earlier', 'e'.repeat(200));
    head.reset();
    scanRequest(head, Buffer.from(`${wire}\r\n`), 0, wire.length + 2, defaultServerLimits, 0);
    for (let i = 0; i < count; i++) head.addField(field);
    const expected = `${wire}${'X-Served-By: heddle\r\n'.repeat(count)}\r\n`;
    t.is(encoded(head, Buffer.alloc(headBound(head)), 0), expected);
    t.is(encoded(head, Buffer.alloc(16_384), 5), expected);
  }
});

test('a constant field of any length reads as one that was added by its text', (t) => {
  for (const length of [0, 1, 20, 30, 40, 300]) {
    const value = 'v'.repeat(length);
    const constant = scanned(0, 0);
    constant.addField(headerField('X-Long', value));
    const text = scanned(0, 0);
    text.add('X-Long', value);
    t.is(constant.get('x-long'), value);
    t.deepEqual(constant.toObject(), text.toObject());
    t.is(encoded(constant, Buffer.alloc(4096), 0), encoded(text, Buffer.alloc(4096), 0));
  }
});

test('a name is said to be lacking only where it is', (t) => {
  const head = scanned(0, 0);
  const bit = headerField('x-new', '').bit;
  t.true(head.lacks(bit) || head.find('x-new') < 0);
  head.addField(headerField('X-New', '1'));
  t.false(head.lacks(bit));
  t.false(head.lacks(headerField('host', '').bit));
  t.is(head.get('x-new'), '1');
});
