import type { Socket } from 'node:net';
import { TLSSocket, type TLSSocketOptions } from 'node:tls';
import type { Clock } from '../../core/base/clock.ts';
import { HeddleError } from '../../core/base/errors.ts';
import type { TimerWheel } from '../../core/base/timer-wheel.ts';
import type { ListenerTlsConfig } from '../../core/contract/config.ts';
import type { Logger } from '../../core/contract/logger.ts';
import type { Metrics } from '../../core/contract/metrics.ts';
import {
  Admission,
  type ArrivingConnection,
  type NetworkFilter,
} from '../../core/contract/network-filter.ts';
import type { TlsSecrets } from '../../core/contract/secret-source.ts';
import type { SocketWrapper } from '../network-filters/chain.ts';
import { parseClientHello } from '../network-filters/tls-hello/parse.ts';
import { readPeer } from '../wire/socket-peer.ts';
import { SocketWire } from '../wire/socket-wire.ts';
import { ServerContexts } from './contexts.ts';
import { CredentialTable } from './credential-table.ts';
import type { Credentials } from './credentials.ts';
import { Handshake } from './handshake.ts';
import { Handshakes } from './handshakes.ts';
import { createStapler, type Stapler } from './stapler.ts';
import { TicketKeys } from './ticket-keys.ts';

/** ContentType handshake (RFC 8446 §5.1): the first byte of a ClientHello. */
const handshakeRecord = 0x16;
/** A hello with a post-quantum key share and a session ticket takes 2 KB. */
const maxHelloBytes = 16_384;

export interface TlsSurroundings {
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** Absent: files are read once. */
  readonly credentials?: CredentialTable;
}

/**
 * Ends TLS: the last step before a connection's protocol is looked for. A connection counts among the arrivals of its
 * listener, limits included, until its handshake is over.
 */
export class TlsAcceptor implements NetworkFilter, SocketWrapper {
  readonly maxFirstBytes = maxHelloBytes;
  readonly firstBytesTimeoutMs: number;
  /** @internal */
  readonly config: ListenerTlsConfig;
  /** @internal */
  readonly handshakes: Handshakes;
  /** @internal */
  readonly surroundings: TlsSurroundings;
  readonly #owner: string;
  readonly #scope: string;
  readonly #credentials: Credentials<ServerContexts>;
  readonly #options: TLSSocketOptions;
  #tickets: TicketKeys | null = null;
  #stapler: Stapler | null = null;

  /**
   * @param protocols ALPN names in order of preference, [] = none
   * @throws HeddleError ERR_TLS_CONFIG
   */
  constructor(
    config: ListenerTlsConfig,
    protocols: readonly string[],
    listener: string,
    surroundings: TlsSurroundings,
  ) {
    const { clock, metrics, logger } = surroundings;
    this.config = config;
    this.surroundings = surroundings;
    this.firstBytesTimeoutMs = config.handshakeTimeoutMs;
    this.handshakes = new Handshakes('listener', listener, clock, metrics, logger);
    this.#owner = `listener ${listener}`;
    // A session counts only where the same peers would be let in.
    this.#scope = JSON.stringify([
      listener,
      config.trustDomain,
      config.clientCertificate,
      config.sanMatchers,
    ]);
    const { clientCertificate, sessionTickets: tickets } = config;
    this.#options = {
      isServer: true,
      requestCert: clientCertificate !== 'none',
      rejectUnauthorized: clientCertificate === 'required',
      ...(protocols.length > 0 && { ALPNProtocols: wireFormat(protocols) }),
    };
    this.#credentials = credentialsOf(surroundings).open(
      { side: 'listener', name: listener },
      { ...config, tickets },
      (secrets) => this.#build(secrets),
    );
  }

  /** Stops watching files. */
  close(): void {
    this.#credentials.close();
  }

  /** The way of most connections: nothing of them need be read before their handshake. */
  wrap(socket: Socket, kind: SocketWire['kind']): SocketWire | null {
    const contexts = this.#credentials.current;
    if (contexts === null || this.config.allowPlain || this.#tickets?.hasOthers === true) return null;
    return new SocketWire(this.#wrap(socket, contexts, null), 'tls', 'accepted', readPeer(socket, kind));
  }

  admit(connection: ArrivingConnection): Admission {
    const { socket } = connection;
    if (!(socket instanceof SocketWire) || socket.kind !== 'tls') return this.#admitPlain(connection);
    new Handshake(socket, connection, this).begin();
    return Admission.wait;
  }

  /** A connection that earlier filters have looked at, or of which something is to be read first. */
  #admitPlain(connection: ArrivingConnection): Admission {
    const { buf, start, end, isFinal, socket: below } = connection;
    let ticketName: Buffer | null = null;
    if (this.config.allowPlain) {
      if (end === start) return isFinal ? Admission.close : Admission.more;
      if (buf[start] !== handshakeRecord) return Admission.pass;
    }
    if (this.#tickets?.hasOthers === true) {
      const hello = parseClientHello(buf, start, end, maxHelloBytes);
      if (hello === 'more' && !isFinal) return Admission.more;
      if (typeof hello === 'object') ticketName = hello.ticketKeyName;
    }
    if (!(below instanceof SocketWire) || !below.canDetach || below.pending > 0) return Admission.close;
    const contexts = this.#credentials.current;
    if (contexts === null) {
      this.handshakes.failed('no_certificate', connection.peer.address, 'its source has none yet');
      return Admission.close;
    }
    const read = buf.subarray(start, end);
    const { peer } = below;
    const { handle, unread } = below.detach();
    const socket = handle as Socket;
    if (unread.length > 0) socket.unshift(unread);
    if (read.length > 0) socket.unshift(read);
    const tls = this.#wrap(socket, contexts, ticketName);
    const wire = new SocketWire(tls, 'tls', 'accepted', peer);
    new Handshake(wire, connection, this).begin();
    connection.replaceSocket(wire);
    return Admission.wait;
  }

  #build(secrets: TlsSecrets): ServerContexts {
    const { sessionTickets } = this.config;
    const contexts = new ServerContexts(this.config, secrets, this.#owner, this.#scope);
    if (sessionTickets.enabled) {
      if (this.#tickets === null) {
        const { clock } = this.surroundings;
        this.#tickets = new TicketKeys(secrets.ticketSecret, sessionTickets.rotationMs, clock);
      } else this.#tickets.use(secrets.ticketSecret);
    }
    this.#stapler = contexts.staples.size === 0 ? null : createStapler(contexts, secrets);
    return contexts;
  }

  #wrap(socket: Socket, contexts: ServerContexts, ticketName: Buffer | null): TLSSocket {
    const options: TLSSocketOptions = {
      ...this.#options,
      secureContext: contexts.initial(this.#tickets?.named(ticketName) ?? null),
    };
    // One certificate needs no choice: a handshake without this turn into JavaScript.
    if (contexts.hasChoice) options.SNICallback = (name, done) => done(null, contexts.choose(name));
    if (this.#stapler !== null) options.server = this.#stapler;
    return new TLSSocket(socket, options);
  }
}

/** Of the mesh, or a table whose files are read once. */
export function credentialsOf({ clock, logger, metrics, credentials }: TlsSurroundings): CredentialTable {
  return (
    credentials ??
    new CredentialTable({ clock, logger, metrics, files: null }, ({ name }) => {
      throw new HeddleError('ERR_TLS_CONFIG', `the source ${JSON.stringify(name)} needs a mesh`);
    })
  );
}

/** RFC 7301 §3.1. Made once: Node.js would make it anew for each connection. */
export function wireFormat(protocols: readonly string[]): Buffer {
  return Buffer.concat(
    protocols.flatMap((name) => [Buffer.from([Buffer.byteLength(name)]), Buffer.from(name)]),
  );
}
