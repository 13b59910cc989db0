import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { Secret } from '../../src/core/base/secret.ts';
import { type Monitor, monitorSections } from '../../src/diagnostics/index.ts';
import { silentLogger } from '../../src/index.ts';
import { AdminServer } from '../../src/transport/admin/server.ts';

interface Cleaner {
  teardown(clean: () => unknown): void;
}

/** A monitor whose every profile is this file. */
async function fakeMonitor(t: Cleaner): Promise<Monitor> {
  const directory = await mkdtemp(join(tmpdir(), 'heddle-sections-'));
  t.teardown(() => rm(directory, { recursive: true }));
  const path = join(directory, 'a.pb.gz');
  await writeFile(path, Buffer.from([0x1f, 0x8b, 0xff]));
  const capture = async ({ kinds }: { kinds: readonly string[] }): Promise<unknown> => ({
    files: kinds.map((kind) => ({ kind, format: 'pprof', threadId: 0, path })),
  });
  return { capture } as unknown as Monitor;
}

test('an admin endpoint hands out profiles, to others than this machine only with the token', async (t) => {
  const sections = monitorSections(await fakeMonitor(t));
  const token = new Secret('open sesame');
  // 2130706433 is 127.0.0.1 as one number: not known as loopback, yet nobody else reaches it.
  for (const [host, isOpen] of [
    ['127.0.0.1', true],
    ['2130706433', false],
  ] as const) {
    const options = { address: `${host}:0`, token, sections, logger: silentLogger };
    const server = await new AdminServer(options).start();
    t.teardown(() => server.close());
    const url = `http://127.0.0.1:${server.address.split(':').at(-1)}/debug/pprof`;
    const plain = await fetch(`${url}/profile?seconds=0`);
    t.is(plain.status, isOpen ? 200 : 401, host);
    await plain.arrayBuffer();
    const authorized = await fetch(`${url}/heap`, { headers: { authorization: 'Bearer open sesame' } });
    t.is(authorized.headers.get('content-type'), 'application/octet-stream');
    t.deepEqual([...new Uint8Array(await authorized.arrayBuffer())], [0x1f, 0x8b, 0xff]);
    const wrong = await fetch(`${url}/profile?seconds=99`, {
      headers: { authorization: 'Bearer open sesame' },
    });
    t.is(wrong.status, 400);
    t.is(await wrong.text(), 'seconds must be 0 to 60\n');
  }
});
