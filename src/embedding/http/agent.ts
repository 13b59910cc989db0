import { Agent, type ClientRequest, type ClientRequestArgs, globalAgent } from 'node:http';
import type { Duplex } from 'node:stream';
import type { MeshPort } from '../port.ts';
import { authorityOf } from './target.ts';

/** Idle in-process connections that are kept for the next request; one costs about 3 KiB. */
const maxFreeSockets = 256;

interface AgentRequestOptions extends ClientRequestArgs {
  readonly _defaultAgent?: Agent;
}

/** Part of `node:http` that its types leave out; agents of the ecosystem build on it. */
interface RequestTaker {
  addRequest(request: ClientRequest, options: ClientRequestArgs): void;
}

/**
 * An agent for `node:http` and `node:https` whose connections end in the mesh of this process: no socket, no DNS, and TLS
 * where the cluster says so. Requests to names that the mesh does not know go by the agent that Node would have used.
 *
 * @example
 * axios.create({ httpAgent: mesh.agent, httpsAgent: mesh.httpsAgent });
 */
export class MeshAgent extends Agent {
  readonly defaultPort: number;
  readonly protocol: string;
  readonly #port: MeshPort;

  /** @param defaultPort 80, or 443 for `https:` */
  constructor(port: MeshPort, defaultPort: 80 | 443) {
    super({ keepAlive: true, maxFreeSockets, scheduling: 'lifo' });
    this.#port = port;
    this.defaultPort = defaultPort;
    this.protocol = defaultPort === 443 ? 'https:' : 'http:';
  }

  /** One pool for all names: connections end in the mesh, not at a host. */
  override getName(): string {
    return 'heddle';
  }

  override createConnection(): Duplex {
    return this.#port.openHttp();
  }

  /** @internal Called by `node:http` for each request. */
  addRequest(request: ClientRequest, options: AgentRequestOptions): void {
    const authority = authorityOf(options, this.defaultPort);
    if (authority !== null && this.#port.knows(authority)) {
      passTrace(request, this.#port);
      takerOf(Agent.prototype).addRequest.call(this, request, options);
      return;
    }
    takerOf(options._defaultAgent ?? globalAgent).addRequest(request, options);
  }
}

const takerOf = (agent: Agent): RequestTaker => agent as unknown as RequestTaker;

/** A request made while another is served goes on with its trace, unless it says otherwise. */
function passTrace(request: ClientRequest, port: MeshPort): void {
  const trace = port.inboundTrace?.() ?? null;
  if (trace === null || request.headersSent || request.hasHeader('traceparent')) return;
  for (const name in trace) request.setHeader(name, trace[name] as string);
}
