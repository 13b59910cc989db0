/**
 * A Dubbo service of this process, called by method, and as JSON over HTTP through a listener that transcodes.
 * A Java consumer or provider would stand in the place of either side.
 */
import { createMesh, HeddleError, JavaException } from '../src/index.ts';

const service = 'com.example.Users';
const provider = await createMesh();
const users = await provider.serveRpc({
  protocol: 'dubbo',
  service,
  address: '127.0.0.1:0',
  methods: {
    find: (id: number) => {
      if (id > 100) throw new JavaException('com.example.NoSuchUserException', `no user ${id}`);
      return { id, name: 'ann', since: new Date(0) };
    },
  },
});

const gateway = await createMesh({
  listeners: [
    {
      name: 'http',
      address: '127.0.0.1:0',
      filters: [{ name: 'transcode', config: { to: 'dubbo', argTypes: { find: ['int'] } } }],
      virtualHosts: [
        { name: 'all', domains: ['*'], routes: [{ match: { prefix: `/${service}` }, cluster: 'users' }] },
      ],
    },
  ],
  clusters: [{ name: 'users', codec: 'dubbo', endpoints: [users.address] }],
});

const reference = gateway.rpc({ protocol: 'dubbo', service, cluster: 'users' });
console.log('by method:', await reference.invoke('find', [42]));
try {
  await reference.invoke('find', [101]);
} catch (thrown) {
  if (!(thrown instanceof HeddleError)) throw thrown;
  console.log('by method:', thrown.code, thrown.context['remoteClass'], thrown.context['remoteMessage']);
}

const url = `http://${gateway.listeners.addresses['http']}/${service}/find`;
for (const body of ['[42]', '[101]']) {
  const response = await fetch(url, { method: 'POST', body });
  console.log('by HTTP:', response.status, await response.text());
}

await gateway.close();
await provider.close();
