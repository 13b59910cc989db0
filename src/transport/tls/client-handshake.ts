import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { Code } from '../../core/base/codes.ts';
import { WheelNode } from '../../core/base/timer-wheel.ts';
import type { SocketWire } from '../wire/socket-wire.ts';
import type { TlsDialing } from './dial.ts';
import { codeOfFailure, failureOf, type TlsFailure } from './failure.ts';
import { refusalOf, TlsPeer } from './peer.ts';
import type { Session } from './sessions.ts';
import { judgeStaple } from './x509/ocsp.ts';

/** One handshake with a host: it ends in 'secureConnect' of a host that is verified, or in a closed wire. */
export class ClientHandshake extends WheelNode {
  readonly #dialing: TlsDialing;
  readonly #socket: TLSSocket;
  readonly #wire: SocketWire;
  readonly #address: string;
  readonly #before: Session | null;
  readonly #generation: number;
  /** Why it failed; null: it did not, or not yet. */
  failure: TlsFailure | null = null;
  #isReached = false;
  #isOver = false;
  #verified: X509Certificate | null = null;
  #ticket: Buffer | null = null;
  #staple: Buffer | null = null;
  #goodUntilMs = 0;

  constructor(
    dialing: TlsDialing,
    socket: TLSSocket,
    wire: SocketWire,
    address: string,
    before: Session | null,
  ) {
    super();
    this.#dialing = dialing;
    this.#socket = socket;
    this.#wire = wire;
    this.#address = address;
    this.#before = before;
    this.#generation = dialing.sessions.generation;
  }

  begin(connectTimeoutMs: number): void {
    const { clock, wheel } = this.#dialing.surroundings;
    if (connectTimeoutMs > 0) wheel.arm(this, clock.now() + connectTimeoutMs);
    // In front of the wire's own listener: what is not verified never hears 'connected'.
    this.#socket.prependListener('secureConnect', () => this.#secured());
    this.#socket.on('session', (ticket) => {
      this.#ticket = ticket;
      this.#keep();
    });
    this.#socket.once('connect', () => {
      this.#isReached = true;
    });
    if (this.#dialing.config.requireOcsp) {
      this.#socket.once('OCSPResponse', (staple: Buffer | null) => {
        this.#staple = staple;
      });
    }
    this.#socket.on('error', (error: NodeJS.ErrnoException) => {
      if (!this.#isOver && this.#isReached) this.#fail(failureOf(error.code), error.message);
    });
    this.#socket.once('close', () => wheel.disarm(this));
  }

  onDeadline(): void {
    this.#wire.destroy(Code.connectTimeout);
  }

  #secured(): void {
    this.#isOver = true;
    this.#dialing.surroundings.wheel.disarm(this);
    // A resumed session shows a client no certificate: it is that of the handshake in which the session began.
    const begun = this.#socket.isSessionReused() ? this.#before : null;
    const certificate = this.#socket.getPeerX509Certificate() ?? begun?.certificate ?? null;
    const failure = this.#failureOf(certificate, begun);
    if (failure !== null) {
      this.#fail(failure.reason, failure.detail);
      return;
    }
    this.#dialing.handshakes.succeeded();
    const { insecureSkipVerify } = this.#dialing.config;
    const name = this.#socket.servername;
    this.#wire.identify(
      new TlsPeer(
        this.#wire.peer,
        insecureSkipVerify ? null : certificate,
        typeof name === 'string' ? name : null,
      ),
    );
    this.#verified = certificate;
    this.#keep();
  }

  #failureOf(
    certificate: X509Certificate | null,
    begun: Session | null,
  ): { reason: TlsFailure; detail: string } | null {
    const { config, surroundings } = this.#dialing;
    if (config.insecureSkipVerify) return null;
    if (certificate === null) return { reason: 'certificate_missing', detail: '' };
    const nowMs = surroundings.clock.wallNow();
    const reason = refusalOf(certificate, config, nowMs);
    if (reason !== null) return { reason, detail: certificate.subjectAltName ?? '' };
    return config.requireOcsp ? this.#statusOf(certificate, begun, nowMs) : null;
  }

  #statusOf(
    certificate: X509Certificate,
    begun: Session | null,
    nowMs: number,
  ): { reason: TlsFailure; detail: string } | null {
    if (begun !== null) {
      this.#goodUntilMs = begun.goodUntilMs;
      const isGood = nowMs < begun.goodUntilMs;
      return isGood ? null : { reason: 'certificate_status', detail: 'the staple of its session is too old' };
    }
    if (this.#staple === null) return { reason: 'certificate_status', detail: 'it stapled no OCSP response' };
    const issuer = this.#dialing.issuerOf(certificate);
    if (issuer === null) return { reason: 'certificate_status', detail: 'the issuer is not among the roots' };
    const verdict = judgeStaple(this.#staple, certificate, issuer, nowMs);
    if (verdict.status === 'revoked') return { reason: 'certificate_revoked', detail: 'its staple says so' };
    if (verdict.status === 'unusable') return { reason: 'certificate_status', detail: verdict.reason };
    this.#goodUntilMs = verdict.untilMs;
    return null;
  }

  #fail(reason: TlsFailure, detail: string): void {
    this.#isOver = true;
    this.failure = reason;
    this.#dialing.sessions.drop(this.#address);
    this.#dialing.handshakes.failed(reason, this.#address, detail);
    this.#wire.destroy(codeOfFailure(reason));
  }

  #keep(): void {
    if (this.#verified === null || this.#ticket === null) return;
    const session = { ticket: this.#ticket, certificate: this.#verified, goodUntilMs: this.#goodUntilMs };
    this.#dialing.sessions.keep(this.#address, session, this.#generation);
  }
}
