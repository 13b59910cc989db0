import type { ExtensionConfig } from '../../core/contract/extension.ts';
import type { SecretSource, TlsSecrets } from '../../core/contract/secret-source.ts';
import type { Health } from '../../core/contract/state.ts';
import { type CredentialContext, type CredentialOwner, Credentials, expiryMetric } from './credentials.ts';
import { type PemSettings, PemSource } from './pem-source.ts';

/** What `open` needs of the settings of a listener or cluster. */
export interface CredentialSettings extends PemSettings {
  readonly source?: ExtensionConfig | undefined;
  readonly expiryWarningDays?: number | undefined;
}

/** The credentials that one mesh uses now: for reloads, health and the end. */
export class CredentialTable {
  readonly #context: CredentialContext;
  readonly #openSource: (source: ExtensionConfig) => SecretSource;
  readonly #open = new Set<Credentials<unknown>>();

  /** @param openSource makes the source of that name and configuration */
  constructor(context: CredentialContext, openSource: (source: ExtensionConfig) => SecretSource) {
    this.#context = context;
    this.#openSource = openSource;
  }

  /**
   * @param build makes what handshakes need of the secrets, again after each change
   * @throws HeddleError ERR_TLS_CONFIG
   */
  open<Built>(
    owner: CredentialOwner,
    settings: CredentialSettings,
    build: (secrets: TlsSecrets) => Built,
  ): Credentials<Built> {
    const { source } = settings;
    const sources = [
      new PemSource(settings, `${owner.side} ${owner.name}`, this.#context.files),
      ...(source === undefined ? [] : [this.#openSource(source)]),
    ];
    const opened: Credentials<Built> = new Credentials(owner, settings, sources, build, this.#context, () =>
      this.#leave(opened),
    );
    this.#open.add(opened);
    return opened;
  }

  /** Reads every file again now. */
  refresh(): void {
    for (const each of this.#open) each.refresh();
  }

  health(): { readonly part: string; readonly health: Health }[] {
    return [...this.#open].map((each) => ({
      part: `tls of ${each.owner.side} ${each.owner.name}`,
      health: each.health(),
    }));
  }

  close(): void {
    for (const each of [...this.#open]) each.close();
  }

  #leave(closed: Credentials<unknown>): void {
    if (!this.#open.delete(closed)) return;
    const { side, name } = closed.owner;
    const isShared = [...this.#open].some(({ owner }) => owner.side === side && owner.name === name);
    if (!isShared) this.#context.metrics.release(expiryMetric(closed.owner), { [side]: name });
  }
}
