/** gRPC with @grpc/grpc-js: two servers behind one address of the mesh, which retries what a server refuses. */
import { promisify } from 'node:util';
import { Client, credentials, Server, ServerCredentials, status } from '@grpc/grpc-js';
import { createMesh } from 'heddle';

// Messages are JSON here, so that the example needs no generated code.
const json = {
  path: '/demo.Greeter/Greet',
  requestStream: false,
  responseStream: false,
  requestSerialize: (value) => Buffer.from(JSON.stringify(value)),
  requestDeserialize: (bytes) => JSON.parse(String(bytes)),
  responseSerialize: (value) => Buffer.from(JSON.stringify(value)),
  responseDeserialize: (bytes) => JSON.parse(String(bytes)),
};

async function startServer(name, refuses) {
  const server = new Server();
  server.addService(
    { Greet: json },
    {
      Greet: (call, callback) => {
        if (refuses) callback({ code: status.UNAVAILABLE, details: `${name} is busy` });
        else callback(null, { text: `hello ${call.request.name} from ${name}` });
      },
    },
  );
  const port = await promisify(server.bindAsync.bind(server))(
    '127.0.0.1:0',
    ServerCredentials.createInsecure(),
  );
  return { server, address: `127.0.0.1:${port}` };
}

const servers = [await startServer('one', true), await startServer('two', false)];
const mesh = await createMesh({
  listeners: [
    {
      name: 'grpc',
      address: '127.0.0.1:0',
      codec: 'http2',
      virtualHosts: [
        {
          name: 'greeter',
          domains: ['*'],
          routes: [
            {
              match: { prefix: '/demo.Greeter/' },
              cluster: 'greeter',
              retry: { on: ['unavailable'], numRetries: 1 },
            },
          ],
        },
      ],
    },
  ],
  clusters: [{ name: 'greeter', codec: 'http2', endpoints: servers.map((each) => each.address) }],
});

const client = new Client(mesh.listeners.addresses.grpc, credentials.createInsecure());
const greet = (name) =>
  new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      json.path,
      json.requestSerialize,
      json.responseDeserialize,
      { name },
      (error, answer) => (error === null ? resolve(answer) : reject(error)),
    );
  });
for (const name of ['ann', 'bob']) console.log((await greet(name)).text);

client.close();
await mesh.close();
for (const { server } of servers) server.forceShutdown();
