import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, mkdir, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gateway, proxyProcess } from '../../e2e/support.ts';
import type { Check } from '../kit/check.ts';
import { execute, requireProgram } from '../kit/execute.ts';
import { startNginx } from '../kit/nginx.ts';

const mebibyte = 1024 * 1024;
/** Sizes around every buffer on the way, up to 100 MiB. */
const sizes = [
  0,
  1,
  2,
  100,
  1023,
  1024,
  4095,
  4096,
  8191,
  16_383,
  16_384,
  16_385,
  65_535,
  65_536,
  65_537,
  131_072,
  999_999,
  mebibyte,
  10 * mebibyte,
  100 * mebibyte,
];

export const check: Check = {
  what: 'wget -r of a tree behind nginx, 0 B to 100 MiB, same hashes',
  async run(scope) {
    const wget = requireProgram('wget', 'apt-get install wget');
    const place = await mkdtemp(join(tmpdir(), 'heddle-wget-'));
    scope.teardown(() => rm(place, { recursive: true }));
    // nginx reads with the rights of its worker.
    await chmod(place, 0o755);
    const root = join(place, 'root');
    const hashes = new Map<string, string>();
    for (const [i, size] of sizes.entries()) {
      const path = `level-${i % 3}/${i % 2 === 0 ? 'even/' : ''}file-${size}.bin`;
      hashes.set(path, await writeRandom(join(root, path), size));
    }
    const proxy = await proxyProcess(scope, gateway(await startNginx(scope, place, root)));
    const into = join(place, 'copy');
    await mkdir(into);
    const args = ['-r', '-np', '-nH', '--no-verbose', '--reject', 'index.html*', `http://${proxy.address}/`];
    const done = await execute(wget, args, { cwd: into, limitMs: 300_000 });
    assert.equal(done.code, 0, done.stderr.slice(-500));
    for (const [path, hash] of hashes) assert.equal(await hashOf(join(into, path)), hash, path);
    return `${hashes.size} files, ${Math.round(sizes.reduce((sum, size) => sum + size, 0) / mebibyte)} MiB`;
  },
};

async function writeRandom(path: string, size: number): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  const file = await open(path, 'w', 0o644);
  const hash = createHash('sha256');
  for (let left = size; left > 0; ) {
    const bytes = randomBytes(Math.min(left, mebibyte));
    hash.update(bytes);
    await file.write(bytes);
    left -= bytes.length;
  }
  await file.close();
  return hash.digest('hex');
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
