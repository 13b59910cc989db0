'use strict';

// One program of other people's Dubbo, in a process of its own: some of them exit the process, keep it alive or throw out
// of socket handlers. Told what to be by its arguments, and what to call by messages.
//
//   dubbo-peer.cjs server                      answers { port }
//   dubbo-peer.cjs LIBRARY ADDRESS GROUP       LIBRARY: dubbo-remoting | apache-dubbo-js | dubbo2.js; answers { ready }
//   { id, method, types, args }                answers { id, value } or { id, error }

const service = 'com.acme.DemoService';
const version = '1.0.0';
const [library, address, group = ''] = process.argv.slice(2);
const quiet = { info() {}, warn() {}, error() {}, debug() {} };

const methods = {
  sayHello: async (name) => `hello ${name}`,
  total: async (numbers) => numbers.reduce((sum, each) => sum + each, 0),
  older: async (user) => ({ $class: 'com.acme.User', $: { ...user, age: user.age + 1 } }),
  fail: async (text) => {
    throw new Error(`refused: ${text}`);
  },
  slow: async (ms) => {
    await new Promise((resolve) => setTimeout(resolve, ms));
    return 'slept';
  },
};

async function serve() {
  const { RpcServer } = require('sofa-rpc-node').server;
  const server = new RpcServer({ logger: quiet, port: 0, protocol: require('dubbo-remoting') });
  server.addService({ interfaceName: service, version }, methods);
  server.addService({ interfaceName: service, version, group: 'g1' }, methods);
  await server.start();
  process.send({ port: Number(/:(\d+)\?/.exec(server.url)[1]) });
}

/** @returns a function that calls (method, types, args) */
async function remotingClient() {
  const { RpcClient } = require('sofa-rpc-node').client;
  const client = new RpcClient({ logger: quiet, protocol: require('dubbo-remoting') });
  const consumer = client.createConsumer({
    interfaceName: service,
    version,
    group,
    serverHost: `dubbo://${address}`,
    responseTimeout: 3000,
  });
  await consumer.ready();
  return (method, types, args) =>
    consumer.invoke(
      method,
      args.map((value, i) => ({ $class: types[i], $: value })),
    );
}

async function directClient() {
  const { DirectlyDubbo } = require(library);
  const dubbo = DirectlyDubbo.from({ dubboAddress: address, dubboVersion: '2.0.2', dubboInvokeTimeout: 3 });
  const own = Object.fromEntries(
    Object.keys(methods).map((name) => [
      name,
      (types, args) => args.map((value, i) => ({ $class: types[i], $: value })),
    ]),
  );
  const proxy = dubbo.proxyService({ dubboInterface: service, version, group, timeout: 3000, methods: own });
  return async (method, types, args) => {
    const { res, err } = await proxy[method](types, args);
    if (err) throw err;
    return res;
  };
}

async function main() {
  if (library === 'server') return serve();
  const call = library === 'dubbo-remoting' ? await remotingClient() : await directClient();
  process.on('message', ({ id, method, types, args }) => {
    call(method, types, args).then(
      (value) => process.send({ id, value }),
      (error) => process.send({ id, error: String(error?.message ?? error) }),
    );
  });
  process.send({ ready: true });
}

process.on('disconnect', () => process.exit(0));
main().catch((error) => {
  process.send({ problem: String(error?.stack ?? error) });
});
