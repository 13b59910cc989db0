'use strict';

// One program of other people's SOFARPC, in a process of its own: some of them exit the process or keep it alive.
// Told what to be by its arguments, and what to call by messages.
//
//   bolt-peer.cjs server                       sofa-rpc-node's server; answers { port }
//   bolt-peer.cjs sofa-rpc-node ADDRESS        its client; answers { ready }
//   bolt-peer.cjs FORM ADDRESS                 sofa-bolt-node on a socket. FORM: bolt | bolt2 | bolt2+crc
//   { id, method, types, args }                answers { id, value } or { id, error }

const net = require('node:net');
const { pipeline } = require('node:stream');

const service = 'com.acme.DemoService';
const version = '1.0';
const [role, address] = process.argv.slice(2);
const quiet = { info() {}, warn() {}, error() {}, debug() {} };

const methods = {
  sayHello: async (name) => `hello ${name}`,
  total: async (numbers) => numbers.reduce((sum, each) => sum + each, 0),
  nothing: async () => null,
  older: async (user) => ({ ...user, age: user.age + 1 }),
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
  const server = new RpcServer({ logger: quiet, port: 0 });
  server.addService({ interfaceName: service, version }, methods);
  await server.start();
  process.send({ port: Number(/:(\d+)\?/.exec(server.url)[1]) });
}

/** @returns a function that calls (method, types, args) */
async function rpcClient() {
  const { RpcClient } = require('sofa-rpc-node').client;
  const client = new RpcClient({ logger: quiet });
  const consumer = client.createConsumer({
    interfaceName: service,
    version,
    serverHost: address,
    responseTimeout: 3000,
  });
  await consumer.ready();
  return (method, types, args) =>
    consumer.invoke(
      method,
      args.map((value, i) => ({ $class: types[i], $: value })),
    );
}

/** The codec alone, for the versions that the client above never sends. */
async function rawClient() {
  const bolt = require('sofa-bolt-node');
  const sentReqs = new Map();
  const encoder = bolt.encoder({ sentReqs });
  const decoder = bolt.decoder({ sentReqs });
  if (role !== 'bolt') {
    encoder.protocolType = 'bolt2';
    encoder.boltVersion = role === 'bolt2+crc' ? 2 : 1;
    encoder.crcEnable = role === 'bolt2+crc';
  }
  const [host, port] = address.split(':');
  const socket = net.connect(Number(port), host);
  pipeline(encoder, socket, decoder, () => {});
  const waiting = new Map();
  decoder.on('response', (response) => {
    waiting.get(response.packetId)?.(response.data);
    waiting.delete(response.packetId);
  });
  let lastId = 0;
  return (method, types, args) =>
    new Promise((resolve, reject) => {
      const id = ++lastId;
      const typed = args.map((value, i) => ({ $class: types[i], $: value }));
      const request = {
        args: typed,
        serverSignature: `${service}:${version}`,
        methodName: method,
        timeout: 3000,
      };
      sentReqs.set(id, { req: request });
      waiting.set(id, ({ error, appResponse }) => (error ? reject(error) : resolve(appResponse)));
      encoder.writeRequest(id, request, (failed) => failed && reject(failed));
    });
}

async function main() {
  if (role === 'server') return serve();
  const call = role === 'sofa-rpc-node' ? await rpcClient() : await rawClient();
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
