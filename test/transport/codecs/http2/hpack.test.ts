import { readdirSync, readFileSync } from 'node:fs';
import test from 'ava';
import fc from 'fast-check';
import {
  huffmanDecode,
  huffmanEncode,
  huffmanLength,
} from '../../../../src/transport/codecs/http2/hpack/huffman.ts';
import { writeInteger } from '../../../../src/transport/codecs/http2/hpack/integer.ts';
import { BlockReader, BlockWriter, type Field } from './harness.ts';
import { checkStory, type Story } from './hpack-story.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

test('integers of RFC 7541 appendix C.1', (t) => {
  const target = Buffer.alloc(8);
  t.is(target.toString('hex', 0, writeInteger(target, 0, 10, 5, 0)), '0a');
  t.is(target.toString('hex', 0, writeInteger(target, 0, 1337, 5, 0)), '1f9a0a');
  t.is(target.toString('hex', 0, writeInteger(target, 0, 42, 8, 0)), '2a');
});

const requests: readonly { hex: string; huffman: string; fields: Field[] }[] = [
  {
    hex: '828684410f7777772e6578616d706c652e636f6d',
    huffman: '828684418cf1e3c2e5f23a6ba0ab90f4ff',
    fields: [
      [':method', 'GET'],
      [':scheme', 'http'],
      [':path', '/'],
      [':authority', 'www.example.com'],
    ],
  },
  {
    hex: '828684be58086e6f2d6361636865',
    huffman: '828684be5886a8eb10649cbf',
    fields: [
      [':method', 'GET'],
      [':scheme', 'http'],
      [':path', '/'],
      [':authority', 'www.example.com'],
      ['cache-control', 'no-cache'],
    ],
  },
  {
    hex: '828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565',
    huffman: '828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf',
    fields: [
      [':method', 'GET'],
      [':scheme', 'https'],
      [':path', '/index.html'],
      [':authority', 'www.example.com'],
      ['custom-key', 'custom-value'],
    ],
  },
];

test('requests of RFC 7541 appendices C.3 and C.4', (t) => {
  for (const form of ['hex', 'huffman'] as const) {
    const reader = new BlockReader();
    for (const each of requests) t.deepEqual(reader.lines(hex(each[form])), each.fields);
    t.is(reader.decoder.table.count, 3);
    t.is(reader.decoder.table.sizeBytes, 164);
  }
});

test('responses of RFC 7541 appendices C.5 and C.6, with evictions from a table of 256 bytes', (t) => {
  const first: Field[] = [
    [':status', '302'],
    ['cache-control', 'private'],
    ['date', 'Mon, 21 Oct 2013 20:13:21 GMT'],
    ['location', 'https://www.example.com'],
  ];
  const third: Field[] = [
    [':status', '200'],
    ['cache-control', 'private'],
    ['date', 'Mon, 21 Oct 2013 20:13:22 GMT'],
    ['location', 'https://www.example.com'],
    ['content-encoding', 'gzip'],
    ['set-cookie', 'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1'],
  ];
  const plain = [
    '4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d546e1768747470733a2f2f7777772e6578616d706c652e636f6d',
    '4803333037c1c0bf',
    '88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738666f6f3d4153444a4b48514b425a584f5157454f50495541585157454f49553b206d61782d6167653d333630303b2076657273696f6e3d31',
  ];
  const huffman = [
    '488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3',
    '4883640effc1c0bf',
    '88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007',
  ];
  for (const blocks of [plain, huffman]) {
    const reader = new BlockReader(256);
    t.deepEqual(reader.lines(hex(blocks[0] as string)), first);
    t.deepEqual(reader.lines(hex(blocks[1] as string)), [[':status', '307'], ...first.slice(1)] as Field[]);
    t.deepEqual(reader.lines(hex(blocks[2] as string)), third);
    t.is(reader.decoder.table.sizeBytes, 215);
    t.is(reader.decoder.table.count, 3);
  }
});

test('literals of RFC 7541 appendix C.2 enter the table only where they say so', (t) => {
  const reader = new BlockReader();
  t.deepEqual(reader.lines(hex('040c2f73616d706c652f70617468')), [[':path', '/sample/path']]);
  t.is(reader.decoder.table.count, 0);
  t.deepEqual(reader.lines(hex('100870617373776f726406736563726574')), [['password', 'secret']]);
  t.is(reader.decoder.table.count, 0);
  t.is(reader.read(hex('100870617373776f726406736563726574'))?.neverIndexed, 1);
  t.deepEqual(reader.lines(hex('400a637573746f6d2d6b65790d637573746f6d2d686561646572')), [
    ['custom-key', 'custom-header'],
  ]);
  t.is(reader.decoder.table.count, 1);
});

const broken: Readonly<Record<string, string>> = {
  'index 0': '80',
  'an index beyond both tables': 'be',
  'a name index beyond both tables': '7f80 01 61',
  'an index that is cut off': 'ff',
  'an index that never ends': 'ff ffff ffff ffff ffff 7f',
  'a string that is cut off': '0005 6162',
  'a value that is missing': '0001 61',
  'a string length that is cut off': '007f',
  'Huffman with EOS': '0001 61 84 ffff ffff',
  'Huffman with padding of eight ones': '0001 61 82 1fff',
  'Huffman with padding of zeros': '0001 61 81 18',
  'a size update beyond the limit': '3fe2 1f',
  'a size update behind a field': '82 20',
};

for (const [title, bytes] of Object.entries(broken)) {
  test(`refused as no HPACK: ${title}`, (t) => {
    t.is(new BlockReader().read(hex(bytes)), null);
  });
}

test('a size update empties the table, and two in a row are taken', (t) => {
  const reader = new BlockReader();
  reader.read(hex('400a637573746f6d2d6b65790d637573746f6d2d686561646572'));
  t.deepEqual(reader.lines(hex('20 3fe11f 82')), [[':method', 'GET']]);
  t.is(reader.decoder.table.count, 0);
  t.is(reader.decoder.table.maxBytes, 4096);
});

test('a field larger than the table empties it and is no error', (t) => {
  const reader = new BlockReader(64);
  reader.read(hex('4001 61 01 62'));
  t.is(reader.decoder.table.count, 1);
  const long = 'x'.repeat(100);
  t.deepEqual(reader.lines(Buffer.concat([hex('4001 61 64'), Buffer.from(long)])), [['a', long]]);
  t.is(reader.decoder.table.count, 0);
});

test('every byte goes through the Huffman code and back', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const text = Buffer.from(bytes);
      const coded = Buffer.alloc(text.length * 4 + 8);
      const end = huffmanEncode(text, 0, text.length, coded, 0);
      if (end !== huffmanLength(text, 0, text.length)) return false;
      const decoded = Buffer.alloc(text.length + 8);
      const length = huffmanDecode(coded, 0, end, decoded, 0);
      return decoded.subarray(0, length).equals(text);
    }),
    { numRuns: 500 },
  );
  t.pass();
});

const name = fc.constantFrom('x-a', 'accept', 'user-agent', 'x-longer-name', 'content-type', 'X-Capital');
const value = fc.oneof(
  fc.constantFrom('', 'gzip, deflate', 'one', 'two', 'three'),
  fc.string({ maxLength: 600 }).map((text) => text.replaceAll(/[^\x21-\x7e]/g, 'z')),
);

test('what the encoder writes the decoder reads, whatever sizes the tables get', (t) => {
  const blocks = fc.array(
    fc.record({
      fields: fc.array(fc.tuple(name, value), { maxLength: 12 }),
      allowed: fc.option(fc.constantFrom(0, 64, 300, 4096), { freq: 5 }),
    }),
    { maxLength: 30 },
  );
  fc.assert(
    fc.property(blocks, fc.boolean(), (all, huffman) => {
      const writer = new BlockWriter(huffman);
      const reader = new BlockReader();
      for (const { fields, allowed } of all) {
        if (allowed !== null) writer.encoder.allow(allowed);
        const lines = reader.lines(writer.write(fields));
        const expected = fields.map(([n, text]) => [n.toLowerCase(), text]);
        if (JSON.stringify(lines) !== JSON.stringify(expected)) return false;
        if (writer.encoder.table.sizeBytes !== reader.decoder.table.sizeBytes) return false;
      }
      return true;
    }),
    { numRuns: 300 },
  );
  t.pass();
});

test('what comes again becomes an index, credentials never do', (t) => {
  const writer = new BlockWriter();
  const fields: Field[] = [
    ['user-agent', 'a-client/1.0'],
    ['authorization', 'Bearer secret'],
    ['cookie', 'a=1'],
  ];
  const lengths = [1, 2, 3].map(() => writer.write(fields).length);
  t.true((lengths[2] as number) < (lengths[0] as number) - 10);
  t.is(writer.encoder.table.count, 1);
  const reader = new BlockReader();
  const again = new BlockWriter();
  again.write(fields);
  const head = reader.read(new BlockWriter().write(fields));
  t.is(head?.neverIndexed, 6);
});

const fixtures = new URL('../../../fixtures/hpack/', import.meta.url);
for (const file of readdirSync(fixtures).filter((each) => each.endsWith('.json'))) {
  test(`stories of the public corpus: ${file}`, (t) => {
    const stories = JSON.parse(readFileSync(new URL(file, fixtures), 'utf8')) as (Story & { from: string })[];
    t.true(stories.length > 0);
    for (const story of stories) t.is(checkStory(story), '', story.from);
  });
}
