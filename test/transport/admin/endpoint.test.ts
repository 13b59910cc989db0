import test from 'ava';
import { Secret } from '../../../src/core/base/secret.ts';
import type { AdminConfig } from '../../../src/core/contract/config.ts';
import { silentLogger } from '../../../src/core/observe/logger.ts';
import { AdminEndpoint } from '../../../src/transport/admin/endpoint.ts';
import { AdminServer } from '../../../src/transport/admin/server.ts';

const any = '127.0.0.1:0';

/** Remembers every server that was opened. */
function endpoint(): { endpoint: AdminEndpoint; opened: AdminServer[] } {
  const opened: AdminServer[] = [];
  const open = async ({ address, token }: AdminConfig): Promise<AdminServer> => {
    const server = await new AdminServer({
      address,
      token: token ?? null,
      sections: [],
      logger: silentLogger,
    }).start();
    opened.push(server);
    return server;
  };
  return { endpoint: new AdminEndpoint(open), opened };
}

const answers = (address: string): Promise<boolean> =>
  fetch(`http://${address}/nothing`).then(
    ({ status }) => status === 404,
    () => false,
  );

test('an endpoint whose address stays keeps its server and gets the new token when that is in force', async (t) => {
  const { endpoint: admin, opened } = endpoint();
  await admin.start({ address: any });
  const { address } = admin;
  const token = new Secret('t');
  const prepared = await admin.prepare({ address: any, token });
  t.is(opened[0]?.token, null);
  await prepared.commit();
  t.is(opened.length, 1);
  t.is(opened[0]?.token, token);
  t.is(admin.address, address);
  const refused = await admin.prepare({ address: any });
  await refused.abandon();
  t.true(await answers(address), 'what another configuration has as well does not end with it');
  t.is(opened[0]?.token, token);
  await admin.close();
});

test('an endpoint that moves answers at the old address until the new one is in force', async (t) => {
  const { endpoint: admin, opened } = endpoint();
  await admin.start({ address: any });
  const before = admin.address;
  const refused = await admin.prepare({ address: 'localhost:0' });
  await refused.abandon();
  t.false(await answers(opened[1]?.address ?? ''), 'what was bound for nothing is closed');
  t.is(admin.address, before);
  const prepared = await admin.prepare({ address: 'localhost:0' });
  t.true(await answers(before));
  await prepared.commit();
  t.false(await answers(before));
  t.true(await answers(admin.address));
  t.not(admin.address, before);
  await admin.close();
});

test('an endpoint may come and go with the configuration', async (t) => {
  const { endpoint: admin, opened } = endpoint();
  await admin.start(undefined);
  t.is(admin.address, '');
  await (await admin.prepare({ address: any })).commit();
  t.true(await answers(admin.address));
  await (await admin.prepare(undefined)).commit();
  t.is(admin.address, '');
  t.false(await answers(opened[0]?.address ?? ''));
  await admin.close();
});
