import { createHash, type X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Clock } from '../../core/base/clock.ts';
import { Code } from '../../core/base/codes.ts';
import { type TimerWheel, WheelNode } from '../../core/base/timer-wheel.ts';
import type { ListenerTlsConfig } from '../../core/contract/config.ts';
import type { Logger } from '../../core/contract/logger.ts';
import type { Metrics } from '../../core/contract/metrics.ts';
import {
  Admission,
  type ArrivingConnection,
  type NetworkFilter,
} from '../../core/contract/network-filter.ts';
import type { Peer } from '../../core/contract/wire.ts';
import { SocketWire } from '../wire/socket-wire.ts';
import { ServerContexts } from './contexts.ts';
import { failureOf, type TlsFailure } from './failure.ts';
import { Handshakes } from './handshakes.ts';
import { refusalOf, TlsPeer } from './peer.ts';

/** ContentType handshake (RFC 8446 §5.1): the first byte of a ClientHello. */
const handshakeRecord = 0x16;

export interface AcceptorSurroundings {
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/**
 * Ends TLS: the last step before a connection's protocol is looked for. A connection counts among the arrivals of its
 * listener, limits included, until its handshake is over.
 */
export class TlsAcceptor implements NetworkFilter {
  readonly maxFirstBytes = 1;
  readonly firstBytesTimeoutMs: number;
  /** @internal */
  readonly config: ListenerTlsConfig;
  /** @internal */
  readonly handshakes: Handshakes;
  /** @internal */
  readonly surroundings: AcceptorSurroundings;
  readonly #contexts: ServerContexts;
  readonly #protocols: readonly string[];

  /**
   * @param protocols ALPN names in order of preference, [] = none
   * @throws HeddleError ERR_TLS_CONFIG
   */
  constructor(
    config: ListenerTlsConfig,
    protocols: readonly string[],
    listener: string,
    surroundings: AcceptorSurroundings,
  ) {
    const { clock, metrics, logger } = surroundings;
    this.config = config;
    this.surroundings = surroundings;
    this.firstBytesTimeoutMs = config.handshakeTimeoutMs;
    // A session counts only where the same peers would be let in.
    const trust = [
      listener,
      config.ca,
      config.crl,
      config.trustDomain,
      config.clientCertificate,
      config.sanMatchers,
    ];
    const sessionIdContext = createHash('sha256').update(JSON.stringify(trust)).digest('hex').slice(0, 32);
    this.#contexts = new ServerContexts(config, `listener ${listener}`, { sessionIdContext });
    this.#protocols = protocols;
    this.handshakes = new Handshakes('listener', listener, clock, metrics, logger);
  }

  admit(connection: ArrivingConnection): Admission {
    const { buf, start, end, isFinal, socket: below } = connection;
    if (this.config.allowPlain) {
      if (end === start) return isFinal ? Admission.close : Admission.more;
      if (buf[start] !== handshakeRecord) return Admission.pass;
    }
    if (!(below instanceof SocketWire) || !below.canDetach || below.pending > 0) return Admission.close;
    const read = buf.subarray(start, end);
    const { peer } = below;
    const { handle, unread } = below.detach();
    const socket = handle as Socket;
    if (unread.length > 0) socket.unshift(unread);
    if (read.length > 0) socket.unshift(read);
    const tls = this.#wrap(socket);
    const wire = new SocketWire(tls, 'tls', 'accepted', peer);
    new Handshake(tls, connection, this).begin();
    connection.replaceSocket(wire);
    return Admission.wait;
  }

  #wrap(socket: Socket): TLSSocket {
    const { clientCertificate } = this.config;
    return new TLSSocket(socket, {
      isServer: true,
      secureContext: this.#contexts.first,
      SNICallback: (name, done) => done(null, this.#contexts.choose(name)),
      ...(this.#protocols.length > 0 && { ALPNProtocols: [...this.#protocols] }),
      requestCert: clientCertificate !== 'none',
      rejectUnauthorized: clientCertificate === 'required',
    });
  }
}

/** One handshake: it ends in `connection.resume()` or in a closed socket. */
class Handshake extends WheelNode {
  readonly #socket: TLSSocket;
  readonly #connection: ArrivingConnection;
  readonly #acceptor: TlsAcceptor;
  readonly #peer: Peer;
  #isOver = false;

  constructor(socket: TLSSocket, connection: ArrivingConnection, acceptor: TlsAcceptor) {
    super();
    this.#socket = socket;
    this.#connection = connection;
    this.#acceptor = acceptor;
    this.#peer = connection.peer;
  }

  begin(): void {
    const { wheel, clock } = this.#acceptor.surroundings;
    wheel.arm(this, clock.now() + this.#acceptor.config.handshakeTimeoutMs);
    this.#socket.once('secure', () => this.#secured());
    this.#socket.once('error', (error: NodeJS.ErrnoException) =>
      this.#fail(failureOf(error.code), error.message),
    );
    this.#socket.once('close', () => this.#fail('closed', 'the client ended it'));
  }

  onDeadline(): void {
    this.#fail('timeout', 'it took too long', Code.downstreamIdle);
  }

  #secured(): void {
    const { clientCertificate } = this.#acceptor.config;
    const certificate = this.#socket.getPeerX509Certificate() ?? null;
    const failure = clientCertificate === 'none' ? null : this.#failureOf(certificate);
    if (failure !== null) {
      this.#fail(failure, certificate?.subjectAltName ?? '');
      return;
    }
    if (!this.#finish()) return;
    this.#acceptor.handshakes.succeeded();
    const { alpnProtocol } = this.#socket;
    const serverName = this.#socket.servername;
    const name = typeof serverName === 'string' && serverName !== '' ? serverName : null;
    const verified = clientCertificate === 'none' ? null : certificate;
    this.#connection.impersonate(new TlsPeer(this.#peer, verified, name), this.#connection.destination);
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

  #fail(reason: TlsFailure, detail: string, code: number = Code.filterClosed): void {
    if (!this.#finish()) return;
    this.#acceptor.handshakes.failed(reason, this.#peer.address, detail);
    this.#connection.drop(code);
  }

  #finish(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    this.#acceptor.surroundings.wheel.disarm(this);
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
