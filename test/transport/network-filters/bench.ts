import { Code } from '../../../src/core/base/codes.ts';
import { SeededRandom } from '../../../src/core/base/random.ts';
import type { Host } from '../../../src/core/contract/cluster.ts';
import type { LogOutput } from '../../../src/core/contract/log-output.ts';
import type {
  ConnectionEnding,
  DialledCluster,
  NetworkFilter,
  NetworkFilterContext,
} from '../../../src/core/contract/network-filter.ts';
import { Stream } from '../../../src/core/contract/stream.ts';
import type { ByteEngine, Wire } from '../../../src/core/contract/wire.ts';
import type { MetricsTable } from '../../../src/core/observe/metrics.ts';
import {
  createFakeTime,
  FakeServerOwner,
  fakeCodecContext,
  fakeHost,
  MemoryLink,
  type MemoryLinkOptions,
  RecordingSink,
  silentLogger,
} from '../../../src/testing/index.ts';
import { Arrival } from '../../../src/transport/network-filters/arrival.ts';
import { createChain } from '../../../src/transport/network-filters/chain.ts';

/** What stands at the far end of a memory link in a test: collects, and does what it is told. */
export class Far implements ByteEngine {
  readonly wire: Wire;
  readonly chunks: Buffer[] = [];
  isEnded = false;
  closeCode = -1;
  drains = 0;

  constructor(wire: Wire) {
    this.wire = wire;
    wire.attach(this);
  }

  get bytes(): Buffer {
    return Buffer.concat(this.chunks);
  }

  get text(): string {
    return this.bytes.toString('latin1');
  }

  send(data: string | Buffer): boolean {
    const bytes = typeof data === 'string' ? Buffer.from(data, 'latin1') : data;
    return this.wire.write(bytes, 0, bytes.length);
  }

  onBytes(buf: Buffer, start: number, end: number): void {
    this.chunks.push(Buffer.from(buf.subarray(start, end)));
  }

  onDrain(): void {
    this.drains++;
  }

  onEnd(): void {
    this.isEnded = true;
  }

  onClose(code: number): void {
    this.closeCode = code;
  }
}

/** A cluster whose hosts are chosen in turn; a host that was tried comes only when no other is left. */
export class FakeCluster {
  readonly hosts: Host[];
  readonly reports: { address: string; status: number; code: number }[] = [];
  requests = 0;
  connections = 0;
  retries = 0;
  maxConnections = Number.POSITIVE_INFINITY;
  maxRetries = Number.POSITIVE_INFINITY;
  proxyProtocol: DialledCluster['proxyProtocol'] = null;
  #next = 0;

  constructor(addresses: readonly string[]) {
    this.hosts = addresses.map((address) => fakeHost(address));
  }

  dialled(name: string): DialledCluster {
    return {
      cluster: {
        name,
        hostSet: { version: 1, all: this.hosts, available: this.hosts, isPanic: false, changes: null },
        connectTimeoutMs: 1000,
        slots: {} as never,
        chooseHost: (s) => {
          if (this.hosts.length === 0) return Code.noHost;
          const fresh = this.hosts.filter((host) => s.triedHosts?.includes(host) !== true);
          const from = fresh.length > 0 ? fresh : this.hosts;
          this.requests++;
          const host = from[this.#next++ % from.length] as Host;
          host.active++;
          return host;
        },
        takeHost: (host) => host,
        release: (host) => {
          this.requests--;
          host.active--;
        },
        report: (host, status, code) => void this.reports.push({ address: host.address, status, code }),
        takeRetry: () => this.retries < this.maxRetries && ++this.retries > 0,
        releaseRetry: () => void this.retries--,
      },
      permits: {
        tryConnection: () => this.connections < this.maxConnections && ++this.connections > 0,
        releaseConnection: () => void this.connections--,
        tryPending: () => true,
        releasePending: () => {},
      },
      proxyProtocol: this.proxyProtocol,
    };
  }
}

/** A dialled host: the link, whose accepted side is the host's own end. */
export interface Dialled {
  readonly address: string;
  readonly link: MemoryLink;
  readonly far: Far;
}

/** Network filters on fake time and memory links: clients come in by `accept`, hosts by `dialled`. */
export class NetworkBench {
  readonly time = createFakeTime();
  readonly codec = fakeCodecContext(new RecordingSink(), this.time);
  readonly owner = new FakeServerOwner();
  readonly clusters = new Map<string, FakeCluster>();
  readonly dialled: Dialled[] = [];
  readonly lines: string[] = [];
  readonly left: number[] = [];
  readonly context: NetworkFilterContext;
  dialOptions: MemoryLinkOptions = { ownsReads: false, isConnecting: true };
  isFull = false;
  readonly #links = new Set<MemoryLink>();

  constructor() {
    const output: LogOutput = {
      write: (bytes) => {
        this.lines.push(...bytes.toString('latin1').trimEnd().split('\n'));
        return true;
      },
      gathering: new Set(),
    };
    this.context = {
      clock: this.time.clock,
      random: new SeededRandom(7),
      logger: silentLogger,
      metrics: this.codec.metrics,
      owner: 'l4',
      logs: { open: () => output },
      codec: this.codec,
      dial: (address) => this.#dial(address),
      cluster: (name) => this.clusters.get(name)?.dialled(name) ?? null,
      acquireStream: () => new Stream(null as never),
      releaseStream: () => {},
    };
  }

  /** A client's connection runs through `filters` and ends in `ending`. */
  accept(
    filters: readonly NetworkFilter[],
    ending: ConnectionEnding = filters.at(-1) as Required<NetworkFilter>,
    options: MemoryLinkOptions = {},
  ): { client: Far; link: MemoryLink; arrival: Arrival } {
    const link = new MemoryLink(options);
    this.#links.add(link);
    const chain = createChain('l4', filters, ending, this.codec, silentLogger);
    const arrival = new Arrival(link.accepted, chain, {
      arrived: (each) => {
        if (!this.isFull) each.ending.serve(each, this.owner);
        return !this.isFull;
      },
      left: (_each, code) => void this.left.push(code),
    });
    const client = new Far(link.dialled);
    arrival.begin();
    return { client, link, arrival };
  }

  /** Until nothing moves, microtasks included. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < 3; quiet++) {
      await Promise.resolve();
      for (const link of this.#links) while (link.turn()) quiet = 0;
      if (this.codec.flush()) quiet = 0;
    }
  }

  async advance(byMs: number): Promise<void> {
    this.time.clock.advance(byMs);
    await this.settle();
  }

  value(name: string, labels: Record<string, string> = { listener: 'l4' }): number {
    const wanted = JSON.stringify(labels);
    const { series } = (this.codec.metrics as MetricsTable).snapshot();
    return (
      series.find((each) => each.name === name && JSON.stringify(each.labels) === wanted)?.values[0] ?? 0
    );
  }

  #dial(address: string): Wire {
    const link = new MemoryLink(this.dialOptions);
    this.#links.add(link);
    this.dialled.push({ address, link, far: new Far(link.accepted) });
    return link.dialled;
  }
}
