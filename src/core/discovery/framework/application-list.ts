import type { RegistryContext } from '../../contract/registry.ts';
import type {
  ApplicationMetadata,
  InstanceSource,
  MetadataSource,
  ServiceInstance,
  SourceChange,
} from '../../contract/service-source.ts';
import { noServices } from '../dubbo/metadata-info.ts';
import type { ServiceName } from '../dubbo/service-name.ts';
import type { FactsTable } from '../facts-table.ts';
import { ApplicationView, type KnownInstance, type ViewListener } from './application-view.ts';
import { Revision, type RevisionOwner } from './revision.ts';

/** Metadata of revisions that nobody has any more, kept for a roll-back. */
const maxForgotten = 16;
/** True of one start of one process, and of no use to anybody else. */
const ofOneStart = ['timestamp'];

export interface ApplicationSources {
  readonly instances: InstanceSource;
  /** Null: services are not told apart. */
  readonly metadata: MetadataSource | null;
  readonly facts: FactsTable;
}

/**
 * The instances of one application, watched once however many of its services are used. A revision is asked for once;
 * until it is known an instance serves by the one it had before, and what is known is never taken back.
 *
 *   instances -> revision -> metadata -> a view for each service -> its hosts
 */
export class ApplicationList implements RevisionOwner {
  readonly name: string;
  readonly #sources: ApplicationSources;
  readonly #context: Pick<RegistryContext, 'clock' | 'random'>;
  readonly #known = new Map<string, KnownInstance>();
  readonly #revisions = new Map<string, Revision>();
  readonly #forgotten = new Map<string, ApplicationMetadata>();
  readonly #views = new Set<ApplicationView>();
  readonly #troubles = new Map<string, string>();
  readonly #unwatch: () => void;
  #hasAnswer = false;

  constructor(name: string, sources: ApplicationSources, context: Pick<RegistryContext, 'clock' | 'random'>) {
    this.name = name;
    this.#sources = sources;
    this.#context = context;
    this.#unwatch = sources.instances.watch(name, {
      change: (change) => this.#apply(change),
      trouble: (reason) => this.#setTrouble('', reason),
    });
  }

  get viewCount(): number {
    return this.#views.size;
  }

  /** The instances are known, and what at least one of them provides. */
  get isReady(): boolean {
    if (!this.#hasAnswer) return false;
    if (this.#known.size === 0 || this.#sources.metadata === null) return true;
    for (const { wanted, served } of this.#known.values()) {
      if (served !== null || wanted === null) return true;
    }
    return false;
  }

  /** Calls back now with what is known, and then with changes. */
  view(asked: ServiceName, listener: ViewListener): () => void {
    const view = new ApplicationView(asked, listener);
    this.#views.add(view);
    for (const known of this.#known.values()) view.note(null, known, true);
    view.flush();
    listener.onTrouble(this.name, this.#trouble);
    return () => void this.#views.delete(view);
  }

  close(): void {
    this.#unwatch();
    for (const revision of this.#revisions.values()) revision.close();
    this.#views.clear();
  }

  instancesOf(revision: Revision): ServiceInstance[] {
    const instances: ServiceInstance[] = [];
    for (const { wanted, instance } of this.#known.values()) {
      if (wanted === revision) instances.push(instance);
    }
    return instances;
  }

  onMetadata(revision: Revision): void {
    for (const [address, known] of this.#known) {
      if (known.wanted === revision) this.#set(address, { ...known, served: revision }, true);
    }
    this.#setTrouble(revision.name, '');
    this.#flush();
  }

  onTrouble(revision: Revision, reason: string): void {
    this.#setTrouble(revision.name, `metadata of revision ${revision.name}: ${reason}`);
  }

  #apply(change: SourceChange<ServiceInstance>): void {
    const isMeant = change.isEmptyMeant === true;
    this.#hasAnswer = true;
    if (change.full) {
      const kept = new Set(change.put.map(({ address }) => address));
      for (const address of this.#known.keys()) if (!kept.has(address)) this.#set(address, null, isMeant);
    } else for (const address of change.removed) this.#set(address, null, isMeant);
    for (const instance of change.put) this.#put(instance);
    this.#setTrouble('', '');
    this.#flush();
  }

  /** An instance that is there and provides a service no longer means it. */
  #put(given: ServiceInstance): void {
    const metadata = this.#sources.facts.shareMetadata(withoutStart(given.metadata));
    const before = this.#known.get(given.address);
    const isSame =
      before?.instance.metadata === metadata &&
      before.instance.revision === given.revision &&
      before.instance.isEnabled === given.isEnabled;
    if (isSame) return;
    const instance: ServiceInstance = { ...given, application: this.name, metadata };
    const wanted = this.#revisionOf(given.revision);
    const served = wanted === null || wanted.metadata !== null ? wanted : (before?.served ?? null);
    this.#set(given.address, { instance, wanted, served }, true);
    wanted?.ask();
  }

  #set(address: string, after: KnownInstance | null, isMeant: boolean): void {
    const before = this.#known.get(address) ?? null;
    if (before === null && after === null) return;
    if (after === null) this.#known.delete(address);
    else this.#known.set(address, after);
    for (const view of this.#views) view.note(before, after, isMeant);
    for (const revision of [after?.wanted, after?.served]) if (revision) revision.users++;
    for (const revision of [before?.wanted, before?.served]) {
      if (revision && --revision.users === 0) this.#forget(revision);
    }
  }

  #flush(): void {
    for (const view of this.#views) view.flush();
  }

  /** Null: nothing is provided, or nobody asks what. */
  #revisionOf(name: string): Revision | null {
    const source = this.#sources.metadata;
    if (source === null || name === '' || name === noServices) return null;
    let revision = this.#revisions.get(name);
    if (revision === undefined) {
      const known = this.#forgotten.get(name) ?? null;
      this.#forgotten.delete(name);
      revision = new Revision(this.name, name, known, source, this.#context, this);
      this.#revisions.set(name, revision);
    }
    return revision;
  }

  #forget(revision: Revision): void {
    revision.close();
    this.#revisions.delete(revision.name);
    this.#setTrouble(revision.name, '');
    if (revision.metadata === null) return;
    this.#forgotten.set(revision.name, revision.metadata);
    for (const name of this.#forgotten.keys()) {
      if (this.#forgotten.size <= maxForgotten) break;
      this.#forgotten.delete(name);
    }
  }

  get #trouble(): string {
    const [reason = ''] = this.#troubles.values();
    return reason;
  }

  #setTrouble(what: string, reason: string): void {
    const before = this.#trouble;
    if (reason === '') this.#troubles.delete(what);
    else this.#troubles.set(what, reason);
    const after = this.#trouble;
    if (before !== after) for (const { listener } of this.#views) listener.onTrouble(this.name, after);
  }
}

function withoutStart(metadata: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  if (ofOneStart.every((key) => metadata[key] === undefined)) return metadata;
  return Object.fromEntries(Object.entries(metadata).filter(([key]) => !ofOneStart.includes(key)));
}
