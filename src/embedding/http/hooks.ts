import http, {
  type Agent,
  type ClientRequest,
  type ClientRequestArgs,
  type IncomingMessage,
} from 'node:http';
import { syncBuiltinESMExports } from 'node:module';
import type { MeshPort } from '../port.ts';
import { MeshAgent } from './agent.ts';
import { authorityOf, targetOf } from './target.ts';

type Callback = (response: IncomingMessage) => void;
type Request = (
  input: string | URL | ClientRequestArgs,
  options?: ClientRequestArgs | Callback,
  callback?: Callback,
) => ClientRequest;

/** `http`, as far as it is replaced. */
interface Module {
  request: Request;
  get: Request;
  globalAgent: Agent;
}

/** Part of an agent that Node's types leave out. */
interface AgentTaker {
  readonly protocol?: string;
  readonly addRequest: MeshAgent['addRequest'];
}

/**
 * Sends requests of `node:http` and `node:https` to names that the mesh knows through it. A request that brings its own
 * agent, `createConnection`, `lookup` or `socketPath` knows its way: it is left alone, as are all other hosts.
 *
 * @returns takes it back; what somebody else replaced since then stays
 */
export function hookHttp(port: MeshPort): () => void {
  const undo = [hookModule(http as unknown as Module, port, 80), hookGlobalHttpsAgent(port)];
  syncBuiltinESMExports();
  return () => {
    for (const each of undo) each();
    syncBuiltinESMExports();
  };
}

function hookModule(module: Module, port: MeshPort, defaultPort: 80 | 443): () => void {
  const { request, get } = module;
  const agent = new MeshAgent(port, defaultPort);
  let isActive = true;
  const wrap =
    (original: Request): Request =>
    (input, options, callback) => {
      if (!isActive) return original(input, options, callback);
      const isUrl = typeof input === 'string' || input instanceof URL;
      const given = isUrl ? (typeof options === 'object' && options !== null ? options : undefined) : input;
      if (given !== undefined && hasOwnWay(given, module)) return original(input, options, callback);
      const authority = isUrl ? targetOf(input, given, defaultPort) : authorityOf(input, defaultPort);
      if (authority === null || !port.knows(authority)) return original(input, options, callback);
      if (!isUrl) return original({ ...input, agent }, options, callback);
      const answered = callback ?? (typeof options === 'function' ? options : undefined);
      return original(input, { ...given, agent }, answered);
    };
  const wrapped = { request: wrap(request), get: wrap(get) };
  Object.assign(module, wrapped);
  return () => {
    isActive = false;
    agent.destroy();
    if (module.request === wrapped.request) module.request = request;
    if (module.get === wrapped.get) module.get = get;
  };
}

/**
 * `node:https` is not loaded to be hooked (13 ms of CPU with TLS): what its global agent inherits is replaced instead.
 * Only requests that come without an agent of their own arrive there.
 */
function hookGlobalHttpsAgent(port: MeshPort): () => void {
  const prototype = http.Agent.prototype as unknown as { addRequest: AgentTaker['addRequest'] };
  const original = prototype.addRequest;
  let agent: MeshAgent | null = null;
  let isActive = true;
  const isGlobal = (taker: unknown): boolean =>
    (taker as AgentTaker).protocol === 'https:' &&
    taker === process.getBuiltinModule('node:https').globalAgent;
  const addRequest: AgentTaker['addRequest'] = function (this: MeshAgent, request, options) {
    if (isActive && isGlobal(this) && !hasConnection(options)) {
      const authority = authorityOf(options, 443);
      if (authority !== null && port.knows(authority)) {
        agent ??= new MeshAgent(port, 443);
        agent.addRequest(request, options);
        return;
      }
    }
    original.call(this, request, options);
  };
  prototype.addRequest = addRequest;
  return () => {
    isActive = false;
    agent?.destroy();
    if (prototype.addRequest === addRequest) prototype.addRequest = original;
  };
}

/** Does the caller say himself how to get there? Node's own default agent is nobody's choice. */
function hasOwnWay(options: ClientRequestArgs, module: Module): boolean {
  const { agent } = options;
  if (agent && agent !== module.globalAgent) return true;
  return hasConnection(options);
}

const hasConnection = (options: ClientRequestArgs): boolean =>
  Boolean(options.createConnection ?? options.socketPath ?? options.lookup);
