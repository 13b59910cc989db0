import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Check, NotInstalled } from '../kit/check.ts';
import { execute } from '../kit/execute.ts';

const repository = fileURLToPath(new URL('../../../', import.meta.url));
const node = fileURLToPath(new URL('../node_modules/node-22/bin/node', import.meta.url));

const program = `
import { createMesh, startStandalone, HeddleError, silentLogger } from 'heddle';
import { writeFileSync } from 'node:fs';
const config = {
  listeners: [{ name: 'in', address: '127.0.0.1:0',
    virtualHosts: [{ name: 'all', domains: ['*'], routes: [{ match: {}, cluster: 'app' }] }] }],
  clusters: [{ name: 'app' }],
};
const mesh = await createMesh(config);
mesh.handle('app', (request) => new Response('hello from ' + new URL(request.url).pathname));
const inside = await (await mesh.fetch('http://app/inside')).text();
const outside = await (await fetch('http://' + mesh.listeners.addresses.in + '/outside')).text();
await mesh.drain(1000);
writeFileSync('heddle.json', JSON.stringify({ ...config, admin: { address: '127.0.0.1:0' } }));
const proxy = await startStandalone({ configPath: 'heddle.json', logger: silentLogger });
const ready = await (await fetch('http://' + proxy.adminAddress + '/ready')).text();
await proxy.close();
console.log(JSON.stringify({ inside, outside, ready, isError: new HeddleError('ERR_BUG', 'x') instanceof Error }));
`;

export const check: Check = {
  what: 'the packed package on Node 22: every entry point, a mesh, the command line',
  async run(scope) {
    if (!existsSync(node)) throw new NotInstalled('Node 22', 'npm ci in test/interop');
    const place = await mkdtemp(join(tmpdir(), 'heddle-node22-'));
    scope.teardown(() => rm(place, { recursive: true }));
    await install(place);
    const home = join(place, 'node_modules/heddle');
    const { exports } = JSON.parse(await readFile(join(home, 'package.json'), 'utf8')) as {
      exports: Record<string, unknown>;
    };
    const notBuilt: string[] = [];
    for (const entry of Object.keys(exports)) {
      const name = entry.replace('.', 'heddle');
      const options = entry.endsWith('.json') ? ", { with: { type: 'json' } }" : '';
      const code = `await import('${name}'${options}).catch((error) => { console.log(error.message); process.exit(error.code === 'ERR_EXTENSION_NOT_BUILT' ? 9 : 1); }); process.exit(0);`;
      const done = await execute(node, ['--input-type=module', '-e', code], { cwd: place });
      if (done.code === 9) {
        assert.match(done.stdout.toString(), /^\[ERR_EXTENSION_NOT_BUILT\] [^\n]+\n$/, name);
        notBuilt.push(name);
      } else assert.equal(done.code, 0, `${name}: ${done.stdout} ${done.stderr}`);
    }
    await writeFile(join(place, 'program.mjs'), program);
    const ran = await execute(node, ['program.mjs'], { cwd: place });
    assert.equal(ran.code, 0, ran.stderr);
    assert.deepEqual(JSON.parse(ran.stdout.toString()), {
      inside: 'hello from /inside',
      outside: 'hello from /outside',
      ready: 'ready\n',
      isError: true,
    });
    const required = await execute(node, ['-e', "console.log(typeof require('heddle').createMesh)"], {
      cwd: place,
    });
    assert.equal(required.stdout.toString(), 'function\n', required.stderr);
    const checked = await execute(node, [join(home, 'bin/heddle.js'), 'check', '-c', 'heddle.json'], {
      cwd: place,
    });
    assert.equal(checked.code, 0, checked.stderr);
    const version = (await execute(node, ['--version'])).stdout.toString().trim();
    return `${version}; not built: ${notBuilt.join(', ') || 'none'}`;
  },
};

/** Packs the repository and unpacks it as npm would, beside the dependencies of this checkout. */
async function install(place: string): Promise<void> {
  const packed = await execute('npm', ['pack', '--silent', '--pack-destination', place], {
    cwd: repository,
    limitMs: 300_000,
  });
  assert.equal(packed.code, 0, packed.stdout.toString() + packed.stderr);
  const modules = join(place, 'node_modules');
  await mkdir(join(modules, 'heddle'), { recursive: true });
  const archive = (await readdir(place)).find((name) => name.endsWith('.tgz')) as string;
  const unpacked = await execute('tar', [
    '-xzf',
    join(place, archive),
    '-C',
    join(modules, 'heddle'),
    '--strip-components=1',
  ]);
  assert.equal(unpacked.code, 0, unpacked.stderr);
  for (const name of await readdir(join(repository, 'node_modules'))) {
    if (name !== 'heddle') await symlink(join(repository, 'node_modules', name), join(modules, name));
  }
}
