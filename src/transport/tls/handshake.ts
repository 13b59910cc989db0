import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { Code } from '../../core/base/codes.ts';
import { WheelNode } from '../../core/base/timer-wheel.ts';
import type { ArrivingConnection } from '../../core/contract/network-filter.ts';
import type { Greeting, SocketWire } from '../wire/socket-wire.ts';
import type { TlsAcceptor } from './acceptor.ts';
import { failureOf, type TlsFailure } from './failure.ts';
import { refusalOf, TlsPeer } from './peer.ts';

/** One handshake with a client: it ends in `connection.resume()` or in a closed socket. An open connection keeps none of it. */
export class Handshake extends WheelNode implements Greeting {
  readonly #wire: SocketWire;
  readonly #connection: ArrivingConnection;
  readonly #acceptor: TlsAcceptor;
  #isOver = false;

  /** @param wire of a TLS socket */
  constructor(wire: SocketWire, connection: ArrivingConnection, acceptor: TlsAcceptor) {
    super();
    this.#wire = wire;
    this.#connection = connection;
    this.#acceptor = acceptor;
  }

  begin(): void {
    const { wheel, clock } = this.#acceptor.surroundings;
    wheel.arm(this, clock.now() + this.#acceptor.config.handshakeTimeoutMs);
    this.#wire.greet(this);
  }

  onDeadline(): void {
    this.#fail('timeout', 'it took too long', Code.downstreamIdle);
  }

  broke(error: NodeJS.ErrnoException): void {
    this.#fail(failureOf(error.code), error.message);
  }

  closed(): void {
    this.#fail('closed', 'the client ended it');
  }

  secured(): void {
    const { clientCertificate } = this.#acceptor.config;
    const socket = this.#wire.socket as TLSSocket;
    const certificate = clientCertificate === 'none' ? null : (socket.getPeerX509Certificate() ?? null);
    const failure = clientCertificate === 'none' ? null : this.#failureOf(socket, certificate);
    if (failure !== null) {
      this.#fail(failure, certificate?.subjectAltName ?? '');
      return;
    }
    if (!this.#finish()) return;
    this.#acceptor.handshakes.succeeded();
    const { alpnProtocol, servername: serverName } = socket;
    const name = typeof serverName === 'string' && serverName !== '' ? serverName : null;
    const peer = new TlsPeer(this.#connection.peer, certificate, name);
    this.#wire.identify(peer);
    this.#connection.impersonate(peer);
    if (name !== null) this.#connection.addFact('tls.serverName', name);
    if (typeof alpnProtocol === 'string') this.#connection.addFact('tls.alpn', alpnProtocol);
    this.#connection.resume();
  }

  #failureOf(socket: TLSSocket, certificate: X509Certificate | null): TlsFailure | null {
    const { config, surroundings } = this.#acceptor;
    if (certificate === null) return config.clientCertificate === 'required' ? 'certificate_missing' : null;
    const verdict = verdictOf(socket);
    return verdict === null
      ? refusalOf(certificate, config, surroundings.clock.wallNow())
      : failureOf(verdict);
  }

  #fail(reason: TlsFailure, detail: string, code: number = Code.filterClosed): void {
    if (!this.#finish()) return;
    this.#acceptor.handshakes.failed(reason, this.#connection.peer.address, detail);
    this.#connection.drop(code);
  }

  #finish(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    this.#acceptor.surroundings.wheel.disarm(this);
    this.#wire.greet(null);
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
