import type { Clock, Timer } from '../../core/base/clock.ts';
import { HealthRecord } from '../../core/base/health-record.ts';
import type { TlsConfig } from '../../core/contract/config.ts';
import type { Logger } from '../../core/contract/logger.ts';
import type { Metrics } from '../../core/contract/metrics.ts';
import type { FileAccess } from '../../core/contract/registry.ts';
import type { SecretSource, TlsSecrets } from '../../core/contract/secret-source.ts';
import type { HasHealth, Health } from '../../core/contract/state.ts';
import { type Expiry, expiryOf, judgeExpiry } from './expiry.ts';

/** Whose: a label of metrics, and "listener in" in messages. */
export interface CredentialOwner {
  readonly side: 'listener' | 'cluster';
  readonly name: string;
}

export interface CredentialContext {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Null: files are read once and not watched. */
  readonly files: FileAccess | null;
}

/** Whoever replaces a certificate writes several files: their changes are joined. */
const joinMs = 100;
/** A timer longer than this would run at once; the look is cheap. */
const longestLookMs = 3_600_000;

const nothing: TlsSecrets = { certificates: [], ca: null, crl: null, ticketSecret: null };

/**
 * What one listener or cluster proves itself with and verifies others with, as of now.
 *
 *   sources -> read -> build -> current      a change -> read -> build -> current
 *                                                          \-> not usable: current stays, health and log say why
 *
 * Connections that are open keep the contexts they began with.
 */
export class Credentials<Built> implements HasHealth {
  readonly owner: CredentialOwner;
  /** Null while a source has nothing yet: nobody can be let in. */
  current: Built | null = null;
  readonly #sources: readonly SecretSource[];
  readonly #build: (secrets: TlsSecrets) => Built;
  readonly #context: CredentialContext;
  readonly #warningDays: number | undefined;
  readonly #record: HealthRecord;
  readonly #unwatch: (() => void)[];
  readonly #onClose: () => void;
  readonly #expirySlot: number;
  #expiry: Expiry | null = null;
  #read = '';
  #refusal = '';
  #join: Timer | null = null;
  #look: Timer | null = null;
  #isClosed = false;

  /**
   * @param sources a later one wins over an earlier one
   * @param build called with secrets that are there; it throws HeddleError for what cannot be used
   * @throws HeddleError ERR_TLS_CONFIG
   */
  constructor(
    owner: CredentialOwner,
    config: Pick<TlsConfig, 'expiryWarningDays'>,
    sources: readonly SecretSource[],
    build: (secrets: TlsSecrets) => Built,
    context: CredentialContext,
    onClose: () => void,
  ) {
    this.owner = owner;
    this.#warningDays = config.expiryWarningDays;
    this.#sources = sources;
    this.#build = build;
    this.#context = context;
    this.#onClose = onClose;
    this.#record = new HealthRecord(context.clock);
    this.#expirySlot = context.metrics.gauge(expiryMetric(owner), { [owner.side]: owner.name });
    // Read before it is watched would miss what changes in between; a start that fails must leave no watch behind.
    this.#unwatch = sources.map((each) => each.watch(() => this.#changed()));
    try {
      this.#take();
    } catch (thrown) {
      this.#end();
      throw thrown;
    }
    this.#judge();
  }

  health(): Health {
    if (!this.#isClosed) this.#judge();
    return this.#record.toHealth();
  }

  /** Reads everything again now, as a reload of the configuration does. What cannot be used changes nothing. */
  refresh(): void {
    if (this.#isClosed) return;
    const { logger } = this.#context;
    const labels = { [this.owner.side]: this.owner.name };
    try {
      if (this.#take()) {
        this.#count('applied');
        logger.info('TLS certificates replaced', { ...labels, expires: this.#expiry?.text ?? '' });
      } else if (this.#refusal !== '') logger.info('TLS certificates are as before again', labels);
      this.#refusal = '';
    } catch (thrown) {
      const reason = reasonOf(thrown);
      this.#count('refused');
      if (reason !== this.#refusal) {
        logger.error('TLS certificates cannot be used, those from before stay', { ...labels, reason });
      }
      this.#refusal = reason;
    }
    this.#judge();
  }

  /** Stops watching. Contexts go on working. */
  close(): void {
    if (this.#isClosed) return;
    this.#end();
    this.#onClose();
  }

  #end(): void {
    this.#isClosed = true;
    this.#join?.cancel();
    this.#look?.cancel();
    for (const unwatch of this.#unwatch) unwatch();
  }

  #changed(): void {
    if (this.#isClosed) return;
    this.#join?.cancel();
    this.#join = this.#context.clock.setTimer(joinMs, () => this.refresh());
  }

  /** @returns whether anything is other than before */
  #take(): boolean {
    const parts = this.#sources.map((each) => each.read());
    if (parts.includes(null)) return false;
    const secrets: TlsSecrets = Object.assign({}, nothing, ...parts);
    const read = fingerprintOf(secrets);
    if (read === this.#read) return false;
    const built = this.#build(secrets);
    const expiry = expiryOf(secrets, this.#warningDays);
    const nowMs = this.#context.clock.wallNow();
    const before = this.#expiry;
    if (before !== null && expiry !== null && expiry.untilMs <= nowMs && before.untilMs > nowMs) {
      throw new Error(`the new certificate of ${expiry.name} expired at ${expiry.text}`);
    }
    this.current = built;
    this.#read = read;
    this.#expiry = expiry;
    const { values } = this.#context.metrics;
    values[this.#expirySlot] = expiry === null ? 0 : expiry.untilMs / 1000;
    return true;
  }

  #judge(): void {
    const nowMs = this.#context.clock.wallNow();
    const { status, reason, nextMs } = judgeExpiry(this.#expiry, nowMs);
    const isNews = this.#set(status, reason);
    if (isNews && status !== 'ok') {
      const { logger } = this.#context;
      const fields = { [this.owner.side]: this.owner.name, reason };
      if (status === 'failed') logger.error('TLS certificate has expired', fields);
      else if (this.#refusal === '' && reason !== '') logger.warn('TLS certificate expires soon', fields);
    }
    this.#look?.cancel();
    this.#look = this.#isClosed
      ? null
      : this.#context.clock.setTimer(Math.min(Math.max(nextMs - nowMs, 1000), longestLookMs), () =>
          this.#judge(),
        );
  }

  #set(status: Health['status'], reason: string): boolean {
    if (this.current === null) return this.#record.set('failed', 'there is no certificate yet');
    if (status === 'failed' || this.#refusal === '') return this.#record.set(status, reason);
    return this.#record.set('degraded', `new certificates cannot be used: ${this.#refusal}`);
  }

  #count(result: 'applied' | 'refused'): void {
    const { metrics } = this.#context;
    const { side, name } = this.owner;
    const slot = metrics.counter(`heddle_${side}_tls_reloads_total`, { [side]: name, result });
    metrics.values[slot] = (metrics.values[slot] as number) + 1;
  }
}

export const expiryMetric = ({ side }: CredentialOwner): string =>
  `heddle_${side}_tls_certificate_expiry_timestamp_seconds`;

/** Everything that makes a difference; it never leaves this module. */
function fingerprintOf({ certificates, ca, crl, ticketSecret }: TlsSecrets): string {
  const own = certificates.map(({ cert, key, ocsp }) => [
    cert,
    key.reveal(),
    ocsp?.toString('base64') ?? null,
  ]);
  return JSON.stringify([own, ca, crl, ticketSecret?.reveal() ?? null]);
}

/** The words of what happened, without code and advice. */
function reasonOf(thrown: unknown): string {
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  return text.replace(/^\[\w+\] [^:]*: /, '').replace(/ — .*$/s, '');
}
