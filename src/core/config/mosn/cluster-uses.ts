/** The stream filter `fault_tolerance`, which judges the hosts of every cluster that its listener sends to. */
export interface FaultTolerance {
  readonly multiple: number;
  readonly requestVolume: number;
  readonly intervalMs: number;
  readonly ejectionMs: number;
  /** Hosts that may be out at once. */
  readonly maxHosts: number;
}

/** How the listeners and routes of a MOSN file use a cluster. */
export interface ClusterUse {
  /** Name in the native configuration. */
  readonly name: string;
  /** Null: by connections only. */
  codec: string | null;
  /** Of the stream filter fault_tolerance (none). */
  outlier: FaultTolerance | null;
}

/**
 * MOSN speaks to a cluster in whatever protocol the listener speaks, a native cluster has one codec: a cluster that is
 * used with several becomes several, the first under its own name, others as "name:codec".
 */
export class ClusterUses {
  readonly #uses: Map<string, ClusterUse[]> = new Map();

  /** Notes that streams of `codec` go to the cluster. @returns its name in the native configuration */
  use(cluster: string, codec: string): string {
    return this.#useOf(cluster, codec).name;
  }

  /** Notes that connections go to the cluster as they are. */
  pass(cluster: string): string {
    return this.of(cluster)[0]?.name ?? this.#add(cluster, cluster, null).name;
  }

  /** @param names native names */
  judge(names: ReadonlySet<string>, outlier: FaultTolerance): void {
    for (const use of [...this.#uses.values()].flat()) if (names.has(use.name)) use.outlier = outlier;
  }

  of(cluster: string): readonly ClusterUse[] {
    return this.#uses.get(cluster) ?? [];
  }

  #useOf(cluster: string, codec: string): ClusterUse {
    const uses = this.of(cluster);
    const own = uses.find((each) => each.codec === codec || each.codec === null);
    if (own !== undefined) {
      own.codec = codec;
      return own;
    }
    return this.#add(cluster, uses.length === 0 ? cluster : `${cluster}:${codec}`, codec);
  }

  #add(cluster: string, name: string, codec: string | null): ClusterUse {
    const use: ClusterUse = { name, codec, outlier: null };
    const uses = this.#uses.get(cluster);
    if (uses === undefined) this.#uses.set(cluster, [use]);
    else uses.push(use);
    return use;
  }
}
