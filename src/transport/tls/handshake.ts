import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { Code } from '../../core/base/codes.ts';
import { WheelNode } from '../../core/base/timer-wheel.ts';
import type { ArrivingConnection } from '../../core/contract/network-filter.ts';
import type { Peer } from '../../core/contract/wire.ts';
import type { SocketWire } from '../wire/socket-wire.ts';
import type { TlsAcceptor } from './acceptor.ts';
import { failureOf, type TlsFailure } from './failure.ts';
import { refusalOf, TlsPeer } from './peer.ts';

/** The socket knows its handshake while there is one: the functions below are shared, an open connection keeps none of it. */
const handshakeOf = Symbol('heddle.handshake');
interface GreetedSocket extends TLSSocket {
  [handshakeOf]: Handshake | null;
}

/** One handshake with a client: it ends in `connection.resume()` or in a closed socket. */
export class Handshake extends WheelNode {
  readonly #socket: TLSSocket;
  readonly #wire: SocketWire;
  readonly #connection: ArrivingConnection;
  readonly #acceptor: TlsAcceptor;
  readonly #peer: Peer;
  #isOver = false;

  /** @param wire of a TLS socket */
  constructor(wire: SocketWire, connection: ArrivingConnection, acceptor: TlsAcceptor) {
    super();
    this.#socket = wire.socket as TLSSocket;
    this.#wire = wire;
    this.#connection = connection;
    this.#acceptor = acceptor;
    this.#peer = connection.peer;
  }

  begin(): void {
    const { wheel, clock } = this.#acceptor.surroundings;
    wheel.arm(this, clock.now() + this.#acceptor.config.handshakeTimeoutMs);
    const socket = this.#socket as GreetedSocket;
    socket[handshakeOf] = this;
    socket.on('secure', onSecure);
    socket.on('error', onError);
    socket.on('close', onClose);
  }

  onDeadline(): void {
    this.fail('timeout', 'it took too long', Code.downstreamIdle);
  }

  /** @internal */
  secured(): void {
    const { clientCertificate } = this.#acceptor.config;
    const certificate = clientCertificate === 'none' ? null : (this.#socket.getPeerX509Certificate() ?? null);
    const failure = clientCertificate === 'none' ? null : this.#failureOf(certificate);
    if (failure !== null) {
      this.fail(failure, certificate?.subjectAltName ?? '');
      return;
    }
    if (!this.#finish()) return;
    this.#acceptor.handshakes.succeeded();
    const { alpnProtocol } = this.#socket;
    const serverName = this.#socket.servername;
    const name = typeof serverName === 'string' && serverName !== '' ? serverName : null;
    const peer = new TlsPeer(this.#peer, certificate, name);
    this.#wire.identify(peer);
    this.#connection.impersonate(peer);
    if (name !== null) this.#connection.addFact('tls.serverName', name);
    if (typeof alpnProtocol === 'string') this.#connection.addFact('tls.alpn', alpnProtocol);
    this.#connection.resume();
  }

  #failureOf(certificate: X509Certificate | null): TlsFailure | null {
    const { config, surroundings } = this.#acceptor;
    if (certificate === null) return config.clientCertificate === 'required' ? 'certificate_missing' : null;
    const verdict = verdictOf(this.#socket);
    return verdict === null
      ? refusalOf(certificate, config, surroundings.clock.wallNow())
      : failureOf(verdict);
  }

  /** @internal */
  fail(reason: TlsFailure, detail: string, code: number = Code.filterClosed): void {
    if (!this.#finish()) return;
    this.#acceptor.handshakes.failed(reason, this.#peer.address, detail);
    this.#connection.drop(code);
  }

  #finish(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    this.#acceptor.surroundings.wheel.disarm(this);
    const socket = this.#socket as GreetedSocket;
    socket[handshakeOf] = null;
    socket.off('secure', onSecure);
    socket.off('close', onClose);
    socket.off('error', onError);
    return true;
  }
}

/**
 * OpenSSL's verdict on the peer's chain, null = it holds. A server-side TLSSocket that no tls.Server made never acts on
 * it nor sets `authorized` (Node 22 to 26, whatever `rejectUnauthorized` says), so it is asked for here.
 */
function verdictOf(socket: TLSSocket): string | null {
  const { ssl } = socket as TLSSocket & { ssl?: { verifyError?(): { code?: string } | null | undefined } };
  if (typeof ssl?.verifyError !== 'function') return 'UNSPECIFIED';
  const error = ssl.verifyError();
  return error === null || error === undefined ? null : (error.code ?? 'UNSPECIFIED');
}

function onSecure(this: TLSSocket): void {
  (this as GreetedSocket)[handshakeOf]?.secured();
}

function onError(this: TLSSocket, error: NodeJS.ErrnoException): void {
  (this as GreetedSocket)[handshakeOf]?.fail(failureOf(error.code), error.message);
}

function onClose(this: TLSSocket): void {
  (this as GreetedSocket)[handshakeOf]?.fail('closed', 'the client ended it');
}
