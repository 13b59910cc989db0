import test from 'ava';
import { headerToMetadata } from '../../../src/core/filters/header-to-metadata.ts';
import {
  counted,
  createFilter,
  createRig,
  onRequest,
  onResponse,
  parseConfig,
  route,
  streamOf,
} from './harness.ts';

const config = {
  request: [
    {
      header: 'X-Version',
      onPresent: { key: 'version' },
      onMissing: { key: 'version', value: 'stable' },
      remove: true,
    },
    { header: 'x-beta', onPresent: { key: 'channel', value: 'beta' } },
  ],
  response: [{ header: 'x-cache', onPresent: { key: 'cache' } }],
};

test('notes values, constants and what to assume for a missing header', (t) => {
  const rig = createRig();
  const filter = createFilter(headerToMetadata, config, rig);
  const s = streamOf('GET / HTTP/1.1\r\nx-version: v2\r\nx-beta: yes\r\n');
  t.is(onRequest(filter, s), 0);
  onResponse(filter, s, 'HTTP/1.1 200 OK\r\nx-cache: HIT\r\n');
  t.deepEqual(
    [...(s.metadata ?? [])],
    [
      ['version', 'v2'],
      ['channel', 'beta'],
      ['cache', 'HIT'],
    ],
  );
  t.false(s.req.has('x-version'));
  t.true(s.req.has('x-beta'));
  const missing = streamOf('GET / HTTP/1.1\r\n');
  onRequest(filter, missing);
  t.deepEqual([...(missing.metadata ?? [])], [['version', 'stable']]);
  t.is(counted(rig, 'heddle_filter_header_to_metadata_noted_total'), 3);
});

test('values are told apart however alike they are', (t) => {
  const filter = createFilter(headerToMetadata, config, createRig());
  for (const value of ['v1', 'v2', 'v2', 'v22', '', 'v1']) {
    const s = streamOf(`GET / HTTP/1.1\r\nx-version: ${value}\r\n`);
    onRequest(filter, s);
    t.is(s.metadata.get('version'), value);
  }
});

test('a value that is too long is not noted, the header goes all the same', (t) => {
  const filter = createFilter(headerToMetadata, config, createRig());
  const s = streamOf(`GET / HTTP/1.1\r\nx-version: ${'v'.repeat(257)}\r\n`);
  onRequest(filter, s);
  t.is(s.metadata.size, 0);
  t.false(s.req.has('x-version'));
});

test('routes have rules of their own or none', (t) => {
  const filter = createFilter(headerToMetadata, config, createRig());
  const off = streamOf('GET / HTTP/1.1\r\nx-version: v2\r\n');
  off.route = route({ filterConfigs: [false] });
  onRequest(filter, off);
  t.is(off.metadata.size, 0);
});

test('a rule must do something, and may not decide who the client is', (t) => {
  for (const bad of [
    {},
    { request: [{ header: 'a' }] },
    { request: [{ header: 'a b', onPresent: { key: 'k' } }] },
    { request: [{ header: 'a', onPresent: { key: 'client_address' } }] },
    { request: [{ header: 'a', onMissing: { key: 'k' } }] },
  ]) {
    t.throws(() => parseConfig(headerToMetadata.config, bad), undefined, JSON.stringify(bad));
  }
});
