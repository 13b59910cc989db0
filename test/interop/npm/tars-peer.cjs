'use strict';

// A client or server of the npm package @tars/rpc in a process of its own. What tars2node would generate for
//   interface Hello { string greet(string name); }
// is written by hand.
//
//   tars-peer.cjs server PORT           answers { port }
//   tars-peer.cjs client - ADDRESS      answers { ready }; then { id, method, args } -> { id, value } or { id, error }

const Tars = require('@tars/rpc');
const { TarsInputStream, TarsOutputStream } = require('@tars/stream');
const [role, portText, address] = process.argv.slice(2);
const servant = 'Demo.Hello.HelloObj';

/** One string under a tag. */
function written(tag, text) {
  const output = new TarsOutputStream();
  output.writeString(tag, text);
  return output.getBinBuffer();
}

const read = (bytes, tag) => new TarsInputStream(bytes).readString(tag, true);

class HelloImp {
  initialize() {}

  onDispatch(current, method, bytes) {
    if (method !== 'greet') return Tars.error.SERVER.FUNC_NOT_FOUND;
    current.doResponse(written(0, `hello ${read(bytes, 1)}`));
    return Tars.error.SUCCESS;
  }
}

class HelloProxy {
  call(method, text) {
    return this._worker.tars_invoke(method, written(1, text)).then(
      ({ response }) => read(response.sBuffer, 0),
      ({ response, error }) => {
        const { code, message } = error ?? response.error;
        throw new Error(`${code} ${message}`);
      },
    );
  }

  setTimeout(ms) {
    this._worker.timeout = ms;
  }
}

function main() {
  if (role === 'server') {
    const options = new Tars.server.BindAdapterOption();
    options.endpoint = `tcp -h 127.0.0.1 -p ${portText} -t 60000`;
    options.name = `${servant}Adapter`;
    options.servant = servant;
    options.handleImp = HelloImp;
    Tars.server.createServer().start(options);
    process.send({ port: Number(portText) });
    return;
  }
  const [host, port] = address.split(':');
  const proxy = Tars.client.stringToProxy(HelloProxy, `${servant}@tcp -h ${host} -p ${port} -t 60000`);
  proxy.setTimeout(5000);
  process.on('message', ({ id, method, args }) => {
    proxy.call(method, args[0]).then(
      (value) => process.send({ id, value }),
      (error) => process.send({ id, error: String(error.message) }),
    );
  });
  process.send({ ready: true });
}

process.on('disconnect', () => process.exit(0));
main();
