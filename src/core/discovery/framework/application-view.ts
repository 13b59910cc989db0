import { parseAddress } from '../../base/address.ts';
import type { Endpoint } from '../../contract/cluster.ts';
import type { ServiceInstance, ServiceMetadata } from '../../contract/service-source.ts';
import { portFor } from '../dubbo/instance.ts';
import { endpointOf } from '../dubbo/provider-endpoint.ts';
import { addressOf } from '../dubbo/provider-url.ts';
import { isAskedFor, type ServiceName } from '../dubbo/service-name.ts';
import type { FeedChange } from '../service-feed.ts';
import type { Revision } from './revision.ts';

/** An instance as it counts now. */
export interface KnownInstance {
  readonly instance: ServiceInstance;
  /** What it says of itself. */
  readonly wanted: Revision | null;
  /** By which metadata it serves: `wanted`, or the one before until that is known. Null: none is known. */
  readonly served: Revision | null;
}

export interface ViewListener {
  onChange(change: FeedChange): void;
  /** Sources answer, or do not any more: "" = all is well. */
  onTrouble(application: string, reason: string): void;
  /** The sources have answered, whether hosts changed or not. */
  onAnswer(): void;
}

/** Parameters of a service that all hosts share, by revision; made once. */
interface Offer {
  readonly port: number;
  readonly protocol: string;
  readonly facts: Readonly<Record<string, string>>;
}

/** What one service sees of the instances of one application. */
export class ApplicationView {
  readonly asked: ServiceName;
  readonly listener: ViewListener;
  readonly #offers = new WeakMap<Revision, Offer[]>();
  #put = new Map<string, Endpoint>();
  #removed = new Set<string>();
  /** Every host that left since the last flush was meant to. */
  #isEmptyMeant = true;

  constructor(asked: ServiceName, listener: ViewListener) {
    this.asked = asked;
    this.listener = listener;
  }

  /** Notes what an instance became; null = it is not there. @param isMeant should that leave nobody */
  note(before: KnownInstance | null, after: KnownInstance | null, isMeant: boolean): void {
    this.#isEmptyMeant &&= isMeant;
    const kept = after === null ? [] : this.endpointsOf(after);
    if (before !== null) {
      for (const { address } of this.endpointsOf(before)) {
        this.#removed.add(address);
        this.#put.delete(address);
      }
    }
    for (const endpoint of kept) {
      this.#put.set(endpoint.address, endpoint);
      this.#removed.delete(endpoint.address);
    }
  }

  /** Passes on what was noted. */
  flush(): void {
    if (this.#put.size + this.#removed.size === 0) {
      this.#isEmptyMeant = true;
      this.listener.onAnswer();
      return;
    }
    const put = [...this.#put.values()];
    const removed = [...this.#removed];
    this.#put = new Map();
    this.#removed = new Set();
    const isEmptyMeant = this.#isEmptyMeant;
    this.#isEmptyMeant = true;
    this.listener.onChange({ put, removed, isEmptyMeant });
  }

  endpointsOf({ instance, served }: KnownInstance): Endpoint[] {
    if (this.asked.isApplication) {
      const facts = { ...instance.metadata, application: instance.application };
      return present([endpointOf(instance.address, '', ofInstance(instance, facts))]);
    }
    if (served === null) return [];
    return present(
      this.#offersOf(served).map(({ port, protocol, facts }) =>
        endpointOf(addressFor(instance, protocol, port), protocol, ofInstance(instance, facts)),
      ),
    );
  }

  #offersOf(revision: Revision): Offer[] {
    const known = this.#offers.get(revision);
    if (known !== undefined) return known;
    const offers: Offer[] = [];
    for (const service of revision.metadata?.services.values() ?? []) {
      if (service.name === this.asked.interfaceName && isAskedFor(this.asked, service)) {
        offers.push(offerOf(service, revision.application));
      }
    }
    this.#offers.set(revision, offers);
    return offers;
  }
}

function offerOf(service: ServiceMetadata, application: string): Offer {
  const { group, version, name, port, protocol, path, parameters } = service;
  const facts: Record<string, string> = { ...parameters, interface: name, application };
  if (group !== '') facts['group'] = group;
  if (version !== '') facts['version'] = version;
  if (path !== '' && path !== name) facts['path'] = path;
  return { port, protocol, facts };
}

/** What an instance says of itself counts before what its revision says. */
function ofInstance(
  { isEnabled, metadata }: ServiceInstance,
  facts: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const { zone, weight } = metadata;
  if (isEnabled !== false && zone === undefined && weight === undefined) return facts;
  const own: Record<string, string> = { ...facts };
  if (zone !== undefined) own['zone'] = zone;
  if (weight !== undefined) own['weight'] = weight;
  if (isEnabled === false) own['disabled'] = 'true';
  return own;
}

function addressFor(instance: ServiceInstance, protocol: string, port: number): string {
  const own = parseAddress(instance.address);
  if (own === null || own.kind !== 'tcp') return instance.address;
  const wanted = port > 0 ? port : portFor(instance, protocol);
  return wanted === 0 || wanted === own.port ? instance.address : addressOf({ host: own.host, port: wanted });
}

function present(endpoints: readonly (Endpoint | null)[]): Endpoint[] {
  return endpoints.filter((endpoint) => endpoint !== null);
}
