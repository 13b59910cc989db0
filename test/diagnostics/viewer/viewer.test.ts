import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import test from 'ava';
import { encodePprof, ProfileBuilder, startViewer } from '../../../src/diagnostics/index.ts';
import { differentialTree, flameTree } from '../../../src/diagnostics/viewer/flame-tree.ts';
import { testDirectory } from '../attach/child.ts';

const profileOf = (stacks: Record<string, number>) => {
  const builder = new ProfileBuilder([{ type: 'samples', unit: 'count' }]);
  for (const [stack, value] of Object.entries(stacks)) {
    const frames = stack.split(';').map((name) => builder.frame({ name, url: '/a.js', line: 1, column: 1 }));
    builder.add(builder.path(frames), [value]);
  }
  return builder.build({ kind: 'cpu' });
};

const page = (id: string, file: string) => ({
  schema: 1,
  id,
  eventId: 'e1',
  service: 'shop',
  pid: 1,
  startMs: 1_700_000_000_000,
  durationMs: 1,
  labels: {},
  trigger: {
    rule: 'stall',
    signal: 'stallMs',
    reason: '',
    current: 1,
    average: 0,
    settings: {},
    previous: [],
    atMs: 1,
  },
  files: [
    {
      name: file,
      path: `/elsewhere/${file}`,
      sizeBytes: 1,
      kind: 'cpu',
      format: 'pprof',
      threadId: 0,
      window: 'during',
    },
  ],
  verdict: { cause: { name: 'not-known' } },
  samples: [{ atMs: 1, values: { stallMs: 2 } }],
});

const get = (
  url: string,
  headers: Record<string, string> = {},
  method = 'GET',
): Promise<{ status: number; body: string; headers: Record<string, unknown> }> =>
  new Promise((resolve, reject) => {
    const sent = request(url, { headers, method }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text) => {
        body += text;
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body, headers: response.headers }),
      );
    });
    sent.on('error', reject).end();
  });

const open = async (t: Parameters<typeof testDirectory>[0]) => {
  const directory = await testDirectory(t);
  await writeFile(join(directory, 'one.pb.gz'), encodePprof(profileOf({ 'a;b': 90, 'a;c': 10 })));
  await writeFile(join(directory, 'two.pb.gz'), encodePprof(profileOf({ 'a;b': 30, 'a;d': 70 })));
  await writeFile(join(directory, 'one.verdict.json'), JSON.stringify(page('c1', 'one.pb.gz')));
  await writeFile(join(directory, 'broken.verdict.json'), '{');
  await writeFile(join(directory, 'broken.pb.gz'), 'nothing');
  const viewer = await startViewer(directory);
  t.teardown(() => viewer.close());
  return { directory, url: viewer.url };
};

test('the page lists captures and profiles as they lie in the directory now', async (t) => {
  const { url } = await open(t);
  const index = JSON.parse((await get(`${url}api/index`)).body);
  t.deepEqual(index.profiles, ['broken.pb.gz', 'one.pb.gz', 'two.pb.gz']);
  t.is(index.captures.length, 1);
  t.is(index.captures[0].samples, undefined);
  const capture = JSON.parse((await get(`${url}api/capture?id=c1`)).body);
  t.is(capture.samples.length, 1);
  t.false(capture.files[0].path.startsWith('/elsewhere'));
});

test('a single file is shown whatever its name is, also through the link to the latest', async (t) => {
  const { directory } = await open(t);
  await symlink('one.pb.gz', join(directory, 'latest-cpu.pb.gz'));
  await writeFile(join(directory, 'profile'), encodePprof(profileOf({ 'a;b': 90 })));
  for (const name of ['latest-cpu.pb.gz', 'profile']) {
    const viewer = await startViewer(join(directory, name));
    t.teardown(() => viewer.close());
    t.deepEqual(JSON.parse((await get(`${viewer.url}api/index`)).body).profiles, [name]);
    t.is((await get(`${viewer.url}api/profile?file=${name}`)).status, 200);
  }
  const whole = await startViewer(directory);
  t.teardown(() => whole.close());
  t.false(JSON.parse((await get(`${whole.url}api/index`)).body).profiles.includes('latest-cpu.pb.gz'));
});

test('a profile comes as a tree, a difference with what changed at each node', async (t) => {
  const { url } = await open(t);
  const view = JSON.parse((await get(`${url}api/profile?file=one.pb.gz`)).body);
  t.is(view.tree.value, 100);
  t.deepEqual(
    view.tree.children[0].children.map(({ name, value }: { name: string; value: number }) => [name, value]),
    [
      ['b', 90],
      ['c', 10],
    ],
  );
  const diff = JSON.parse((await get(`${url}api/diff?base=one.pb.gz&file=two.pb.gz`)).body);
  t.deepEqual(
    diff.tree.children[0].children.map(({ name, delta }: { name: string; delta: number }) => [name, delta]),
    [
      ['b', -60],
      ['d', 70],
    ],
  );
});

test('what cannot be read is said in words; what does not exist is not found', async (t) => {
  const { url } = await open(t);
  const broken = await get(`${url}api/profile?file=broken.pb.gz`);
  t.is(broken.status, 422);
  t.regex(JSON.parse(broken.body).message, /not a pprof file/);
  for (const path of ['api/profile?file=none.pb.gz', 'api/capture?id=none', 'api/nothing', 'none.js']) {
    t.is((await get(`${url}${path}`)).status, 404, path);
  }
  await t.throwsAsync(startViewer('/no/such/place'), { code: 'ERR_PROFILE_INVALID' });
});

test('profiles hold secrets: no other host name, no guessed path, no way out of the directory', async (t) => {
  const { directory, url } = await open(t);
  await mkdir(join(directory, 'inside'));
  await symlink('/etc/hostname', join(directory, 'inside', 'link'));
  t.is((await get(url)).status, 200);
  t.is((await get(url, { host: 'evil.example' })).status, 403);
  t.is((await get(url, {}, 'POST')).status, 405);
  const { origin } = new URL(url);
  t.is((await get(`${origin}/`)).status, 404);
  t.is((await get(`${origin}/${'0'.repeat(32)}/api/index`)).status, 404);
  for (const path of [
    'files/..%2f..%2fetc%2fpasswd',
    'files/inside/link',
    'speedscope/..%2f..%2fpackage.json',
    '..%2fviewer.ts',
    'library/..%2fx.js',
  ]) {
    t.is((await get(`${url}${path}`)).status, 404, path);
  }
});

test('the packaged viewers are served from this machine, and the page may load nothing else', async (t) => {
  const { url } = await open(t);
  const { scripts } = JSON.parse((await get(`${url}api/index`)).body);
  t.true(scripts.length >= 10);
  for (const script of scripts) t.is((await get(`${url}library/${script}`)).status, 200, script);
  const speedscope = await get(`${url}speedscope/index.html`);
  t.regex(speedscope.body, /speedscope/);
  const policy = String((await get(url)).headers['content-security-policy']);
  t.regex(policy, /default-src 'none'/);
  t.notRegex(policy, /https?:/);
});

test('calls of one function from different lines are one node; tiny ones are left out', (t) => {
  const builder = new ProfileBuilder([{ type: 'samples', unit: 'count' }]);
  const frame = builder.frame({ name: 'f', url: '', line: 1, column: 1 });
  builder.add(builder.child(0, frame, 3), [5000]);
  builder.add(builder.child(0, frame, 4), [4999]);
  builder.add(builder.child(0, builder.frame({ name: 'g', url: '', line: 1, column: 1 })), [1]);
  const tree = flameTree(builder.build({ kind: 'cpu' }));
  t.deepEqual(
    tree.children.map(({ name, value }) => [name, value]),
    [['f', 9999]],
  );
  const same = differentialTree(profileOf({ a: 5 }), profileOf({ a: 5 }));
  t.is(same.children[0]?.delta, 0);
});
