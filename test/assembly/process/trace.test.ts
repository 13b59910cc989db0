import { readFileSync } from 'node:fs';
import test from 'ava';
import { beginTrace } from '../../../src/assembly/process/trace.ts';
import { traceTopics } from '../../../src/assembly/process/trace-topics.ts';
import { channels } from '../../../src/core/base/channels.ts';
import { createMesh } from '../../../src/index.ts';
import { echo, eventually, upstream } from '../../mesh/support.ts';

const docs = readFileSync('docs/metrics.md', 'utf8');

test('every channel and every topic is documented, and each topic uses channels that there are', (t) => {
  const names = Object.values(channels).map((each) => String(each.name));
  for (const name of names) t.true(docs.includes(`\`${name}\``), name);
  for (const [topic, lines] of Object.entries(traceTopics)) {
    t.true(docs.includes(`| \`${topic}\` |`), topic);
    for (const name of Object.keys(lines)) t.true(names.includes(name), name);
  }
});

test.serial('lines tell the way of a request: route, cluster, host, connection, outcome', async (t) => {
  const { address } = await upstream(t, echo);
  const lines: string[] = [];
  const end = beginTrace('route, pool,stream,discovery,config,connection', (line) => lines.push(line));
  const mesh = await createMesh({
    listeners: [
      {
        name: 'in',
        address: '127.0.0.1:0',
        virtualHosts: [
          { name: 'all', domains: ['*'], routes: [{ match: { prefix: '/known' }, cluster: 'up' }] },
        ],
      },
    ],
    clusters: [{ name: 'up', endpoints: [address] }],
  });
  const base = `http://${mesh.listeners.addresses['in']}`;
  await (await fetch(`${base}/known?password=hidden`)).text();
  await (await fetch(`${base}/other`)).text();
  await mesh.reload({});
  await mesh.close();
  await eventually(() => lines.some((line) => line.includes('closed')), 'the end of the connections');
  end();
  const text = lines.join('');
  const port = base.slice('http://'.length);
  t.regex(
    text,
    new RegExp(`heddle:route #\\d+ http1 GET ${port}/known -> route all#0, cluster up, host ${address}\n`),
  );
  t.regex(text, /heddle:route #\d+ http1 GET \S+\/other -> no route, no try: 404, no_route, /);
  t.regex(text, new RegExp(`heddle:pool ${address} dialled, http1, connection 1\n`));
  t.regex(text, new RegExp(`heddle:pool ${address} closed, http1, 0 left, \\w+\n`));
  t.regex(text, /heddle:stream #\d+ begins: http1 GET/);
  t.regex(text, /heddle:stream #\d+ ends: 200, [\d.]+ ms, 0 bytes in, \d+ out\n/);
  t.regex(text, /heddle:discovery up version \d+, whole list: 1 added, 0 removed, 0 changed\n/);
  t.regex(text, /heddle:connection in open 127\.0\.0\.1 port \d+\n/);
  t.regex(text, /heddle:config reload .*"up"/);
  t.false(text.includes('hidden'), 'no query string');
  t.true(
    lines.every((line) => /^\d\d:\d\d:\d\d\.\d{3} heddle:\w+ [^\n]+\n$/.test(line)),
    text,
  );
});

test.serial('nothing asked for: nobody listens; an end takes the listeners away', async (t) => {
  const nobody = (): boolean => Object.values(channels).every((each) => !each.hasSubscribers);
  t.true(nobody());
  const end = beginTrace('', t.fail);
  t.true(nobody());
  end();
  beginTrace('all', () => {})();
  t.true(nobody());
  await using _mesh = await createMesh();
  t.true(nobody());
});

test.serial(
  'a topic that does not exist is told, with the nearest; a rate beyond reading is cut and counted',
  async (t) => {
    const lines: string[] = [];
    const end = beginTrace('rout,config', (line) => lines.push(line));
    t.regex(
      lines[0] ?? '',
      /^HEDDLE_TRACE: no topic is named "rout", did you mean "route"\? Topics: connection, /,
    );
    for (let i = 0; i < 20_000; i++) channels.configReload.publish({ diff: { text: 'a\nb' } });
    end();
    t.true(lines.length <= 10_003, `${lines.length}`);
    t.true(lines.every((line) => line.indexOf('\n') === line.length - 1));
  },
);
