'use strict';

// A client or server of the npm package thrift in a process of its own. What the Thrift compiler would generate for
//   service Calculator { string greet(1: string name); oneway void note(1: string text); list<string> notes() }
// is written by hand.
//
//   thrift-peer.cjs server PROTOCOL            answers { port }; PROTOCOL: binary | compact
//   thrift-peer.cjs client PROTOCOL ADDRESS    answers { ready }; then { id, method, args } -> { id, value } or { id, error }

const thrift = require('thrift');
const { Thrift } = thrift;
const [role, kind, address] = process.argv.slice(2);
const options = {
  transport: thrift.TFramedTransport,
  protocol: kind === 'compact' ? thrift.TCompactProtocol : thrift.TBinaryProtocol,
};

/** A struct of one string field or of none. */
function writeStruct(output, id, text) {
  output.writeStructBegin('struct');
  if (text !== undefined) {
    output.writeFieldBegin('field', Thrift.Type.STRING, id);
    output.writeString(text);
    output.writeFieldEnd();
  }
  output.writeFieldStop();
  output.writeStructEnd();
}

function readStruct(input) {
  let text;
  input.readStructBegin();
  for (;;) {
    const { ftype, fid } = input.readFieldBegin();
    if (ftype === Thrift.Type.STOP) break;
    if (ftype === Thrift.Type.STRING && fid <= 1) text = input.readString();
    else input.skip(ftype);
    input.readFieldEnd();
  }
  input.readStructEnd();
  return text;
}

class Client {
  constructor(output, Protocol) {
    this.output = output;
    this.pClient = Protocol;
    this._seqid = 0;
    this._reqs = {};
  }

  seqid() {
    return this._seqid;
  }

  new_seqid() {
    return ++this._seqid;
  }

  call(method, text, isOneWay = false) {
    const id = this.new_seqid();
    const output = new this.pClient(this.output);
    const type = isOneWay ? Thrift.MessageType.ONEWAY : Thrift.MessageType.CALL;
    const answered = new Promise((resolve, reject) => {
      if (isOneWay) resolve(null);
      else this._reqs[id] = (error, value) => (error ? reject(error) : resolve(value));
    });
    output.writeMessageBegin(method, type, id);
    writeStruct(output, 1, text);
    output.writeMessageEnd();
    this.output.flush();
    return answered;
  }
}

for (const method of ['greet', 'note', 'notes', 'missing', 'refused']) {
  Client.prototype[`recv_${method}`] = function receive(input, type, id) {
    const callback = this._reqs[id];
    delete this._reqs[id];
    if (type === Thrift.MessageType.EXCEPTION) {
      const exception = new Thrift.TApplicationException();
      exception.read(input);
      input.readMessageEnd();
      callback(exception);
      return;
    }
    const value = readStruct(input);
    input.readMessageEnd();
    callback(null, value);
  };
}

class Processor {
  constructor() {
    this.notes = [];
  }

  process(input, output) {
    const { fname, mtype, rseqid } = input.readMessageBegin();
    const text = readStruct(input);
    input.readMessageEnd();
    if (mtype === Thrift.MessageType.ONEWAY) {
      this.notes.push(text);
      return;
    }
    const method = fname.slice(fname.indexOf(':') + 1);
    if (method === 'missing') {
      output.writeMessageBegin(fname, Thrift.MessageType.EXCEPTION, rseqid);
      const exception = new Thrift.TApplicationException(0, 'no such method');
      // It is read as `type`, but written as `code`.
      exception.code = Thrift.TApplicationExceptionType.UNKNOWN_METHOD;
      exception.write(output);
    } else {
      output.writeMessageBegin(fname, Thrift.MessageType.REPLY, rseqid);
      writeStruct(output, 0, method === 'notes' ? this.notes.join(',') : `hello ${text}`);
    }
    output.writeMessageEnd();
    output.flush();
  }
}

function main() {
  if (role === 'server') {
    const server = thrift.createServer(Processor, {}, options);
    server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
    return;
  }
  const [host, port] = address.split(':');
  const connection = thrift.createConnection(host, Number(port), options);
  const client = thrift.createClient(Client, connection);
  connection.on('error', (error) => process.send({ problem: String(error) }));
  process.on('message', ({ id, method, args }) => {
    client.call(method, args[0], method === 'note').then(
      (value) => process.send({ id, value }),
      (error) => process.send({ id, error: `${error.type} ${error.message}` }),
    );
  });
  process.send({ ready: true });
}

process.on('disconnect', () => process.exit(0));
main();
