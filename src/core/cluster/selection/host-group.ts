import { ChunkedList } from '../../base/chunked-list.ts';
import type { Balancer, Host } from '../../contract/cluster.ts';

/** Hosts of one priority, or of one zone of it, with a balancer of their own that learns what changed. */
export class HostGroup<B extends Balancer> {
  readonly balancer: B;
  #hosts = new ChunkedList<Host>();
  readonly #places = new Map<Host, number>();
  #added: Host[] = [];
  #removed: Host[] = [];
  #changed: Host[] = [];
  #version = 0;

  constructor(balancer: B) {
    this.balancer = balancer;
  }

  get size(): number {
    return this.#hosts.length;
  }

  /** Takes the host in, or notes that it changed in place. */
  put(host: Host): void {
    if (this.#places.has(host)) {
      this.#changed.push(host);
      return;
    }
    this.#places.set(host, this.#hosts.length);
    this.#hosts.push(host);
    this.#added.push(host);
  }

  drop(host: Host): void {
    const at = this.#places.get(host);
    if (at === undefined) return;
    this.#places.delete(host);
    const last = this.#hosts.pop();
    if (last !== host) {
      this.#hosts.set(at, last);
      this.#places.set(last, at);
    }
    this.#removed.push(host);
  }

  /** These and no others. */
  replace(hosts: readonly Host[]): void {
    const kept = new Set(hosts);
    for (const host of [...this.#hosts]) if (!kept.has(host)) this.drop(host);
    for (const host of hosts) this.put(host);
  }

  /** Tells the balancer, if there is anything to tell. */
  flush(): void {
    const [added, removed, changed] = [this.#added, this.#removed, this.#changed];
    if (this.#version > 0 && added.length + removed.length + changed.length === 0) return;
    this.#added = [];
    this.#removed = [];
    this.#changed = [];
    const from = this.#version++;
    const view = this.#hosts.copy();
    this.balancer.update({
      version: this.#version,
      get all() {
        return view.toArray();
      },
      get available() {
        return view.toArray();
      },
      availableView: view,
      isPanic: false,
      changes: from === 0 ? null : { from, added, removed, changed },
    });
  }
}
