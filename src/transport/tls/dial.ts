import type { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { checkServerIdentity, connect, type SecureContext, type TLSSocket } from 'node:tls';
import type { Clock } from '../../core/base/clock.ts';
import { Code } from '../../core/base/codes.ts';
import { type TimerWheel, WheelNode } from '../../core/base/timer-wheel.ts';
import type { ClusterTlsConfig } from '../../core/contract/config.ts';
import type { Dialer, Wire } from '../../core/contract/wire.ts';
import { failedWire, readAddress } from '../wire/dial.ts';
import { SocketWire } from '../wire/socket-wire.ts';
import { credentialsOf, type TlsSurroundings, wireFormat } from './acceptor.ts';
import { contextOf } from './contexts.ts';
import type { Credentials } from './credentials.ts';
import { codeOfFailure, failureOf, type TlsFailure } from './failure.ts';
import { Handshakes } from './handshakes.ts';
import { refusalOf } from './peer.ts';

/** Sessions kept for resumption, one a host; the oldest goes first. */
const maxSessions = 1024;

/** What a later handshake with the same host begins from. */
interface Session {
  readonly ticket: Buffer;
  readonly certificate: X509Certificate;
}

/**
 * Dials with TLS. The wire connects until the handshake is over and the host is verified: what was written before stays
 * here until then. The connect limit holds for both together.
 */
export class TlsDialing {
  readonly #config: ClusterTlsConfig;
  readonly #protocols: Uint8Array | null;
  readonly #credentials: Credentials<SecureContext>;
  readonly #clock: Clock;
  readonly #wheel: TimerWheel;
  readonly #handshakes: Handshakes;
  readonly #sessions = new Map<string, Session>();

  /** @throws HeddleError ERR_TLS_CONFIG */
  constructor(
    config: ClusterTlsConfig,
    protocols: readonly string[],
    cluster: string,
    surroundings: TlsSurroundings,
  ) {
    const { clock, wheel, metrics, logger } = surroundings;
    this.#config = config;
    this.#protocols = protocols.length === 0 ? null : wireFormat(protocols);
    const { certificate } = config;
    this.#credentials = credentialsOf(surroundings).open(
      { side: 'cluster', name: cluster },
      { ...config, certificates: certificate === undefined ? [] : [certificate] },
      (secrets) => {
        // What is trusted may be another now.
        this.#sessions.clear();
        return contextOf(config, secrets, secrets.certificates[0], `cluster ${cluster}`);
      },
    );
    this.#clock = clock;
    this.#wheel = wheel;
    this.#handshakes = new Handshakes('cluster', cluster, clock, metrics, logger);
  }

  /** Stops watching files. Dialling goes on to work. */
  close(): void {
    this.#credentials.close();
  }

  readonly dial: Dialer = (address, connectTimeoutMs) => {
    const target = readAddress(address);
    if (target instanceof Error) return failedWire(target);
    const secureContext = this.#credentials.current;
    if (secureContext === null) {
      this.#handshakes.failed('no_certificate', address, 'its source has none yet');
      return failedWire(new Error('no certificate yet'));
    }
    const place = target.kind === 'unix' ? { path: target.path } : { host: target.host, port: target.port };
    const name = this.#config.serverName ?? (target.kind === 'unix' ? '' : target.host);
    const before = this.#sessions.get(address) ?? null;
    const options = {
      ...place,
      secureContext,
      servername: isIP(name) === 0 ? name : '',
      ...(this.#protocols !== null && { ALPNProtocols: this.#protocols }),
      ...(before !== null && { session: before.ticket }),
      rejectUnauthorized: !this.#config.insecureSkipVerify,
      checkServerIdentity: (_host: string, certificate: Parameters<typeof checkServerIdentity>[1]) =>
        this.#isNamedOtherwise() ? undefined : checkServerIdentity(name, certificate),
      allowHalfOpen: true,
      noDelay: true,
      keepAlive: true,
    };
    const socket = connect(options);
    const wire: Wire = new SocketWire(socket, 'tls', 'dialled');
    this.#watch(socket, wire, address, connectTimeoutMs, before);
    return wire;
  };

  /** Whom a SPIFFE id or a name of the settings names, needs no host name. */
  #isNamedOtherwise(): boolean {
    const { insecureSkipVerify, trustDomain, sanMatchers, serverName } = this.#config;
    return (
      insecureSkipVerify ||
      (serverName === undefined && (trustDomain !== undefined || sanMatchers.length > 0))
    );
  }

  #watch(
    socket: TLSSocket,
    wire: Wire,
    address: string,
    connectTimeoutMs: number,
    before: Session | null,
  ): void {
    const timer = new Deadline(wire);
    if (connectTimeoutMs > 0) this.#wheel.arm(timer, this.#clock.now() + connectTimeoutMs);
    let isReached = false;
    let isOver = false;
    let verified: X509Certificate | null = null;
    let ticket: Buffer | null = null;
    const keep = (): void => {
      if (verified !== null && ticket !== null) this.#keep(address, { ticket, certificate: verified });
    };
    const fail = (failure: TlsFailure, detail: string): void => {
      isOver = true;
      this.#sessions.delete(address);
      this.#handshakes.failed(failure, address, detail);
      wire.destroy(codeOfFailure(failure));
    };
    // In front of the wire's own listener: what is not verified never hears 'connected'.
    socket.prependListener('secureConnect', () => {
      isOver = true;
      this.#wheel.disarm(timer);
      // A resumed session shows a client no certificate: it is that of the handshake in which the session began.
      const reused = socket.isSessionReused() ? before?.certificate : undefined;
      const certificate = socket.getPeerX509Certificate() ?? reused ?? null;
      const failure = this.#failureOf(certificate);
      if (failure !== null) return fail(failure, certificate?.subjectAltName ?? '');
      this.#handshakes.succeeded();
      verified = certificate;
      keep();
    });
    socket.on('session', (given) => {
      ticket = given;
      keep();
    });
    socket.once('connect', () => {
      isReached = true;
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (!isOver && isReached) fail(failureOf(error.code), error.message);
    });
    socket.once('close', () => this.#wheel.disarm(timer));
  }

  #failureOf(certificate: X509Certificate | null): TlsFailure | null {
    if (this.#config.insecureSkipVerify) return null;
    if (certificate === null) return 'certificate_missing';
    return refusalOf(certificate, this.#config, this.#clock.wallNow());
  }

  #keep(address: string, session: Session): void {
    this.#sessions.delete(address);
    if (this.#sessions.size >= maxSessions)
      this.#sessions.delete(this.#sessions.keys().next().value as string);
    this.#sessions.set(address, session);
  }
}

class Deadline extends WheelNode {
  readonly #wire: Wire;

  constructor(wire: Wire) {
    super();
    this.#wire = wire;
  }

  onDeadline(): void {
    this.#wire.destroy(Code.connectTimeout);
  }
}
