import type { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { type ConnectionOptions, checkServerIdentity, connect, type SecureContext } from 'node:tls';
import type { Endpoint } from '../../core/contract/cluster.ts';
import type { ClusterTlsConfig } from '../../core/contract/config.ts';
import type { TlsSecrets } from '../../core/contract/secret-source.ts';
import type { Dialer, Wire } from '../../core/contract/wire.ts';
import { createDialer, failedWire, readAddress } from '../wire/dial.ts';
import { SocketWire } from '../wire/socket-wire.ts';
import { credentialsOf, type TlsSurroundings, wireFormat } from './acceptor.ts';
import { ClientHandshake } from './client-handshake.ts';
import { contextOf } from './contexts.ts';
import type { Credentials } from './credentials.ts';
import { FallbackWire } from './fallback-wire.ts';
import { Handshakes } from './handshakes.ts';
import { readCertificates } from './pem.ts';
import { Sessions } from './sessions.ts';

/** `net.connect` takes them too; the types of Node.js do not know it. */
interface SocketOptions {
  readonly allowHalfOpen: boolean;
  readonly noDelay: boolean;
  readonly keepAlive: boolean;
}

/** What a handshake needs of one set of secrets. */
interface ClientSide {
  readonly context: SecureContext;
  /** For staples: null where they are not asked for. */
  readonly roots: readonly X509Certificate[] | null;
}

/**
 * Dials with TLS. The wire connects until the handshake is over and the host is verified: what was written before stays
 * here until then. The connect limit holds for both together.
 */
export class TlsDialing {
  /** @internal */
  readonly config: ClusterTlsConfig;
  /** @internal */
  readonly surroundings: TlsSurroundings;
  /** @internal */
  readonly handshakes: Handshakes;
  /** @internal */
  readonly sessions = new Sessions();
  readonly #cluster: string;
  readonly #protocols: Uint8Array | null;
  readonly #credentials: Credentials<ClientSide>;
  readonly #plain: Dialer;
  /** Set at run time: every host is spoken to in plain text. */
  #offSinceMs = 0;

  /**
   * @param plain for hosts that are spoken to in plain text
   * @throws HeddleError ERR_TLS_CONFIG
   */
  constructor(
    config: ClusterTlsConfig,
    protocols: readonly string[],
    cluster: string,
    surroundings: TlsSurroundings,
    plain: Dialer = createDialer(surroundings.clock, surroundings.wheel),
  ) {
    const { clock, metrics, logger } = surroundings;
    this.config = config;
    this.#plain = plain;
    this.surroundings = surroundings;
    this.handshakes = new Handshakes('cluster', cluster, clock, metrics, logger);
    this.#cluster = cluster;
    this.#protocols = protocols.length === 0 ? null : wireFormat(protocols);
    const { certificate } = config;
    this.#credentials = credentialsOf(surroundings).open(
      { side: 'cluster', name: cluster },
      { ...config, certificates: certificate === undefined ? [] : [certificate] },
      (secrets) => this.#build(secrets),
    );
  }

  /** Stops watching files. Dialling goes on to work. */
  close(): void {
    this.#credentials.close();
  }

  get isOff(): boolean {
    return this.#offSinceMs !== 0;
  }

  /** Wall-clock ms; 0 while it is on. */
  get offSinceMs(): number {
    return this.#offSinceMs;
  }

  /** Turns TLS of connections that are made from now on off or on, until it is made anew. */
  turn(state: 'off' | 'on'): void {
    const isOff = state === 'off';
    if (isOff === this.isOff) return;
    const { clock, logger } = this.surroundings;
    this.#offSinceMs = isOff ? clock.wallNow() : 0;
    if (isOff)
      logger.warn('TLS is turned off, hosts are spoken to in plain text', { cluster: this.#cluster });
    else logger.info('TLS is turned on again', { cluster: this.#cluster });
  }

  /** For a host that may have TLS turned off in its metadata. */
  dialHost(host: Pick<Endpoint, 'metadata'>, address: string, connectTimeoutMs: number): Wire {
    const isPlain = this.config.allowPlainHosts && host.metadata['tls'] === 'off';
    return isPlain ? this.#plain(address, connectTimeoutMs) : this.dial(address, connectTimeoutMs);
  }

  readonly dial: Dialer = (address, connectTimeoutMs) => {
    if (this.isOff) return this.#plain(address, connectTimeoutMs);
    const target = readAddress(address);
    if (target instanceof Error) return failedWire(target);
    const side = this.#credentials.current;
    if (side === null) {
      this.handshakes.failed('no_certificate', address, 'its source has none yet');
      return failedWire(new Error('no certificate yet'));
    }
    const place = target.kind === 'unix' ? { path: target.path } : { host: target.host, port: target.port };
    const name = this.config.serverName ?? (target.kind === 'unix' ? '' : target.host);
    const before = this.sessions.get(address);
    const options: ConnectionOptions & SocketOptions = {
      ...place,
      secureContext: side.context,
      servername: isIP(name) === 0 ? name : '',
      ...(this.#protocols !== null && { ALPNProtocols: this.#protocols }),
      ...(before !== null && { session: before.ticket }),
      ...(this.config.requireOcsp && { requestOCSP: true }),
      rejectUnauthorized: !this.config.insecureSkipVerify,
      checkServerIdentity: (_host, certificate) =>
        this.#isNamedOtherwise() ? undefined : checkServerIdentity(name, certificate),
      allowHalfOpen: true,
      noDelay: true,
      keepAlive: true,
    };
    const socket = connect(options);
    const wire = new SocketWire(socket, 'tls', 'dialled');
    const handshake = new ClientHandshake(this, socket, wire, address, before);
    handshake.begin(connectTimeoutMs);
    if (!this.config.fallBackToPlain) return wire;
    const isPlainHost = (): boolean => handshake.failure === 'not_tls' || handshake.failure === 'closed';
    return new FallbackWire(wire, isPlainHost, () => {
      this.handshakes.fellBack(address);
      return this.#plain(address, connectTimeoutMs);
    });
  };

  /** @internal The root that issued it; null: another, or an intermediate. */
  issuerOf(certificate: X509Certificate): X509Certificate | null {
    const sent = certificate.issuerCertificate;
    const known = [...(sent === undefined ? [] : [sent]), ...(this.#credentials.current?.roots ?? [])];
    return known.find((each) => certificate.checkIssued(each) && certificate.verify(each.publicKey)) ?? null;
  }

  #build(secrets: TlsSecrets): ClientSide {
    const owner = `cluster ${this.#cluster}`;
    const context = contextOf(this.config, secrets, secrets.certificates[0], owner);
    const isAsked = this.config.requireOcsp && secrets.ca !== null;
    const roots = isAsked ? readCertificates(secrets.ca, `CA of ${owner}`) : null;
    // What is trusted may be another now.
    this.sessions.forget();
    return { context, roots };
  }

  /** Whom a SPIFFE id or a name of the settings names, needs no host name. */
  #isNamedOtherwise(): boolean {
    const { insecureSkipVerify, trustDomain, sanMatchers, serverName } = this.config;
    return (
      insecureSkipVerify ||
      (serverName === undefined && (trustDomain !== undefined || sanMatchers.length > 0))
    );
  }
}
