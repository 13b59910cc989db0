import test from 'ava';
import { encodeOtlp, fromCpuProfile, toOtlpJson } from '../../../src/diagnostics/pprof/index.ts';
import { rawCpu } from './sample-profiles.ts';

const cpu = fromCpuProfile(rawCpu, { kind: 'cpu', startMs: 1_700_000_000_000, labels: { route: '/cart' } });

type Fields = Map<number, (Uint8Array | bigint)[]>;

/** A reader of protobuf's wire format, independent of the writer. */
const read = (bytes: Uint8Array): Fields => {
  const fields: Fields = new Map();
  const buffer = Buffer.from(bytes);
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = buffer[at++] as number;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < buffer.length) {
    const key = Number(varint());
    const values = fields.get(key >> 3) ?? [];
    fields.set(key >> 3, values);
    if ((key & 7) === 0) values.push(varint());
    else if ((key & 7) === 1) {
      values.push(buffer.readBigUInt64LE(at));
      at += 8;
    } else {
      const length = Number(varint());
      values.push(buffer.subarray(at, at + length));
      at += length;
    }
  }
  return fields;
};
const messages = (fields: Fields, field: number): Fields[] =>
  (fields.get(field) ?? []).map((value) => read(value as Uint8Array));
const texts = (fields: Fields, field: number): string[] =>
  (fields.get(field) ?? []).map((value) => Buffer.from(value as Uint8Array).toString());
/** Packed varints below 2^53. */
const packed = (value: Uint8Array | bigint | undefined): number[] => {
  const numbers: number[] = [];
  let scale = 1;
  let number = 0;
  for (const byte of (value ?? []) as Uint8Array) {
    number += (byte & 0x7f) * scale;
    scale *= 128;
    if (byte >= 0x80) continue;
    numbers.push(number);
    number = 0;
    scale = 1;
  }
  return numbers;
};

test('one profile a sample type, over one dictionary whose rows 0 are zero values', (t) => {
  const data = read(encodeOtlp([cpu], { 'service.name': 'shop', 'process.pid': 7 }));
  const [dictionary] = messages(data, 2) as [Fields];
  const strings = texts(dictionary, 5);
  t.is(strings[0], '');
  for (const table of [1, 2, 3, 4, 6, 7]) t.is(messages(dictionary, table)[0]?.size, 0, `table ${table}`);
  const [resourceProfiles] = messages(data, 1) as [Fields];
  const [scope] = messages(resourceProfiles, 2) as [Fields];
  const profiles = messages(scope, 2);
  const types = profiles.map((profile) => strings[Number(messages(profile, 1)[0]?.get(1)?.[0])]);
  t.deepEqual(types, ['samples', 'cpu']);
  const resource = messages(messages(resourceProfiles, 1)[0] as Fields, 1).map((pair) => texts(pair, 1)[0]);
  t.deepEqual(resource, ['service.name', 'process.pid']);
});

test('a sample is found through stack, location and function, leaf first', (t) => {
  const data = read(encodeOtlp([cpu], {}));
  const [dictionary] = messages(data, 2) as [Fields];
  const strings = texts(dictionary, 5);
  const profile = messages(messages(messages(data, 1)[0] as Fields, 2)[0] as Fields, 2)[1] as Fields;
  t.is(profile.get(3)?.[0], 1_700_000_000_000_000_000n);
  t.is(profile.get(4)?.[0], 13_000_000n);
  t.is(Buffer.from(profile.get(7)?.[0] as Uint8Array).length, 16);
  const [sample] = messages(profile, 2) as [Fields];
  const stack = messages(dictionary, 7)[Number(sample.get(1)?.[0])] as Fields;
  const names = packed(stack.get(1)?.[0]).map((index) => {
    const location = messages(dictionary, 2)[index] as Fields;
    const line = messages(location, 3)[0] as Fields;
    const found = messages(dictionary, 3)[Number(line.get(1)?.[0])] as Fields;
    return `${strings[Number(found.get(1)?.[0])]}:${line.get(2)?.[0]}`;
  });
  t.deepEqual(names, ['parse:31', 'handler:10']);
  t.deepEqual(packed(sample.get(4)?.[0]), [3_000_000]);
  const attribute = messages(dictionary, 6)[packed(sample.get(2)?.[0])[0] as number] as Fields;
  t.is(strings[Number(attribute.get(1)?.[0])], 'route');
  t.deepEqual(texts(messages(attribute, 2)[0] as Fields, 1), ['/cart']);
});

test('JSON says the same as protobuf', (t) => {
  const json = JSON.parse(JSON.stringify(toOtlpJson([cpu], { 'service.name': 'shop' })));
  const [profile] = json.resourceProfiles[0].scopeProfiles[0].profiles.slice(1);
  const { stringTable, stackTable, locationTable, functionTable } = json.dictionary;
  const [sample] = profile.samples;
  const leaf = locationTable[stackTable[sample.stackIndex].locationIndices[0]].lines[0];
  t.is(stringTable[functionTable[leaf.functionIndex].nameStrindex], 'parse');
  t.is(leaf.line, '31');
  t.deepEqual(sample.values, ['3000000']);
  t.is(profile.profileId.length, 32);
});
