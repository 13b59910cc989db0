import { Duplex } from 'node:stream';

/** What pg takes for a socket: it calls `connect` and waits for the event of that name. Host and port are the mesh's. */
export class MeshSocket extends Duplex {
  #mesh;
  #cluster;
  #stream = null;

  constructor(mesh, cluster) {
    super({ allowHalfOpen: false });
    this.#mesh = mesh;
    this.#cluster = cluster;
  }

  connect() {
    this.#mesh.connect(this.#cluster).then(
      (stream) => {
        this.#stream = stream;
        stream.on('data', (chunk) => this.push(chunk) || stream.pause());
        stream.on('end', () => this.push(null));
        stream.on('error', (error) => this.destroy(error));
        stream.on('close', () => this.destroy());
        this.emit('connect');
      },
      (error) => this.destroy(error),
    );
    return this;
  }

  _read() {
    this.#stream?.resume();
  }

  _write(chunk, _encoding, done) {
    this.#stream.write(chunk, done);
  }

  _final(done) {
    this.#stream?.end();
    done();
  }

  _destroy(error, done) {
    this.#stream?.destroy();
    done(error);
  }

  setNoDelay() {
    return this;
  }

  setKeepAlive() {
    return this;
  }

  ref() {
    return this;
  }

  unref() {
    return this;
  }
}
