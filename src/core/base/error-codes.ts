/**
 * The one catalogue of error codes. docs/errors.md is generated from it and a test keeps the two equal.
 * Add a line here to add a code; group by area, keep the areas in alphabetical order.
 */
export type ErrorSource = 'downstream' | 'upstream' | 'internal' | 'config';
export type RetryAdvice = 'no' | 'yes' | 'ifReused';

export interface ErrorCodeEntry {
  readonly source: ErrorSource;
  readonly retry: RetryAdvice;
  /** What happened, as half a sentence. */
  readonly what: string;
  /** What the reader does about it. */
  readonly solve: string;
}

const entry = (source: ErrorSource, retry: RetryAdvice, what: string, solve: string): ErrorCodeEntry => ({
  source,
  retry,
  what,
  solve,
});

export const errorCodes = {
  ERR_ADMIN_CALL: entry(
    'upstream',
    'no',
    'the admin endpoint of a proxy cannot be asked, or refuses',
    'check that the proxy runs with that admin address and that the token is its own (HEDDLE_ADMIN_TOKEN)',
  ),
  ERR_ADMIN_FORBIDDEN: entry(
    'downstream',
    'no',
    'an admin request was refused',
    'send the admin token in "authorization: Bearer ..." for writes and call it by its own host name',
  ),
  ERR_ATTACH_FAILED: entry(
    'internal',
    'no',
    'attaching to a process did not work',
    'see the reason; a process that is started by "heddle watch -- node app.js" needs no attaching',
  ),
  ERR_ATTACH_REFUSED: entry(
    'internal',
    'no',
    'a process cannot be attached to',
    'see the reason; nothing was sent to it. "heddle watch --list" shows what can be attached to, "heddle watch <pid> --outside" touches nothing',
  ),
  ERR_BUG: entry('internal', 'no', 'heddle broke its own rule', 'report it with the stack trace'),
  ERR_CERTS_OPTION: entry(
    'config',
    'no',
    'a certificate cannot be issued as asked for',
    'correct the name, address or duration that the message shows',
  ),
  ERR_CERTS_READ: entry(
    'config',
    'no',
    'a certificate or key cannot be read',
    'check the path and that the file is whole; "heddle certs init" makes a CA',
  ),
  ERR_CERTS_STEP: entry(
    'config',
    'no',
    'the CA is not at this step of its change',
    '"heddle certs rotate-ca" has three: begin, switch, finish',
  ),
  ERR_CERTS_WRITE: entry(
    'config',
    'no',
    'a certificate or key is not written',
    'nothing is overwritten without --force; check that the folder exists and that the user may write there',
  ),
  ERR_CLUSTER_NO_HOST: entry(
    'upstream',
    'yes',
    'a cluster has no host that may be chosen',
    'look at /clusters: the list may be empty, unhealthy or ejected',
  ),
  ERR_CLUSTER_OVERFLOW: entry(
    'upstream',
    'no',
    'a circuit-breaker threshold of the cluster is reached',
    'raise circuitBreakers of that cluster or send less',
  ),
  ERR_CLUSTER_UNKNOWN: entry(
    'config',
    'no',
    'no cluster has that name',
    'add the cluster or correct the name; the message lists the nearest',
  ),
  ERR_CONFIG_INVALID: entry(
    'config',
    'no',
    'the configuration has problems',
    'correct each listed path; "heddle check" prints the same list',
  ),
  ERR_CONFIG_READ: entry(
    'config',
    'no',
    'a configuration file cannot be read',
    'check that the path exists and that the user may read it',
  ),
  ERR_CONFIG_WRITE: entry(
    'config',
    'no',
    'a configuration file is not written',
    '"heddle init" overwrites nothing without --force; check that the folder exists and that the user may write there',
  ),
  ERR_COPY_LOADED: entry(
    'config',
    'no',
    'two copies of heddle are loaded in this process',
    'let the package manager install one ("npm ls heddle" shows who brings the other); HEDDLE_COPIES=allow runs both side by side',
  ),
  ERR_EXPRESSION_INVALID: entry(
    'config',
    'no',
    'an expression cannot be used',
    'write it in CEL over request, source, listener and metadata, at most 4096 characters; it gives true or false',
  ),
  ERR_EXTENSION_DUPLICATE: entry(
    'config',
    'no',
    'two extensions of one kind share a name',
    'rename one of them or remove it from "use"',
  ),
  ERR_EXTENSION_LOAD: entry(
    'config',
    'no',
    'a module of "use" cannot be used',
    'give a file: URL of an ES module whose default export is an extension, a set of extensions or a list of them',
  ),
  ERR_EXTENSION_NOT_BUILT: entry(
    'config',
    'no',
    'that entry point is not part of this version',
    'see CHANGELOG for the version that brings it',
  ),
  ERR_FILTER_FAILED: entry(
    'internal',
    'no',
    'a stream filter failed, so the request was refused',
    'look at the log line that names the filter',
  ),
  ERR_GRPC_STATUS: entry(
    'upstream',
    'no',
    'a gRPC call did not end with OK',
    'see the status and what the server says; context.reason tells what ended a call that the server did not',
  ),
  ERR_HEADER_INVALID: entry(
    'internal',
    'no',
    'a header name or value has characters that HTTP does not allow',
    'remove control characters and characters above U+00FF; names are RFC 9110 tokens',
  ),
  ERR_LISTENER_ADDRESS: entry(
    'config',
    'no',
    'a listener cannot bind its address',
    'free the port or choose another; port 0 picks a free one',
  ),
  ERR_MESH_CLOSED: entry('internal', 'no', 'the mesh is closed', 'create a new mesh'),
  ERR_MONITOR_CAPTURE: entry(
    'internal',
    'no',
    'a capture could not be taken',
    'mend what is named, or ask again later; the monitor and the application go on',
  ),
  ERR_MONITOR_DEEP: entry(
    'internal',
    'no',
    'a heap snapshot would stop the application for too long',
    'raise maxHeapBytes (--max-heap) if the pause is acceptable, or take "pending" or "heap" instead',
  ),
  ERR_MONITOR_DIRECTORY: entry(
    'config',
    'no',
    'the capture directory cannot be used',
    'choose a directory that the user owns and may write',
  ),
  ERR_MONITOR_RULES: entry(
    'config',
    'no',
    'the rules have problems',
    'correct each listed rule; "heddle profile rules FILE" prints the same list',
  ),
  ERR_MONITOR_START: entry(
    'internal',
    'no',
    'the monitor could not start',
    'mend what is named; the application goes on without a monitor',
  ),
  ERR_MONITOR_STOPPED: entry('internal', 'no', 'the monitor has stopped', 'create a new monitor'),
  ERR_NODE_VERSION: entry(
    'internal',
    'no',
    'this Node.js is too old',
    'install the version that the message names',
  ),
  ERR_OPTION_INVALID: entry(
    'internal',
    'no',
    'an option has a value that is not allowed',
    'correct what is named',
  ),
  ERR_PATTERN_INVALID: entry(
    'config',
    'no',
    'a regular expression cannot be used',
    'write it in RE2 syntax: no look-around and no back-references, at most 4096 characters',
  ),
  ERR_PEER_MISSING: entry(
    'config',
    'no',
    'an optional package cannot be loaded',
    'install the package that the message names, or leave the option that needs it out',
  ),
  ERR_PROFILE_INVALID: entry(
    'config',
    'no',
    'a profile cannot be read',
    'give a pprof file (.pb.gz), a .cpuprofile or a .heapprofile',
  ),
  ERR_REGISTRY_CLOSED: entry(
    'internal',
    'no',
    'a publication was withdrawn, or its registry closed, before the registry had it',
    'nothing to do where that was meant; otherwise look at /health for what kept the registry away',
  ),
  ERR_REGISTRY_FULL: entry(
    'downstream',
    'no',
    'the local registry takes no more',
    'unpublish or unsubscribe what is not needed, or raise localRegistry.maxPublications or maxSubscriptions',
  ),
  ERR_REGISTRY_PUBLISH: entry(
    'config',
    'no',
    'a service cannot be published as it is described',
    'correct the name, address or protocol that the message names; registries that only list (static, file, dns) take no publication',
  ),
  ERR_REGISTRY_REQUEST: entry(
    'downstream',
    'no',
    'a request to the local registry is refused',
    'correct what the message names; docs/discovery.md has an example of each request',
  ),
  ERR_REQUEST_ABORTED: entry(
    'downstream',
    'no',
    'the caller aborted the request',
    'nothing: it was asked for',
  ),
  ERR_REQUEST_INVALID: entry(
    'downstream',
    'no',
    'a request cannot be sent as given',
    'correct the method, path, header or body that the message names',
  ),
  ERR_REQUEST_TIMEOUT: entry(
    'upstream',
    'yes',
    'no answer came in time',
    'raise timeoutMs or perTryTimeoutMs of the route, or find out why the upstream is slow',
  ),
  ERR_ROUTE_NONE: entry(
    'downstream',
    'no',
    'no route matches the request',
    'add a route, or a virtual host for "*"',
  ),
  ERR_RPC_EXCEPTION: entry(
    'upstream',
    'no',
    'the remote method threw',
    'context.remoteClass and context.remoteMessage say what; the method ran, so calling again may repeat its effect',
  ),
  ERR_RPC_REFUSED: entry(
    'upstream',
    'no',
    'the other end refused the call',
    "look at the message and at context.protocolStatus, the protocol's own status",
  ),
  ERR_RPC_SERVICE: entry(
    'config',
    'no',
    'a service cannot be provided',
    'give each address one protocol, and each service, version and group one implementation',
  ),
  ERR_RPC_VALUE: entry(
    'internal',
    'no',
    'a value of a call cannot be written or read',
    'give argTypes, or { $class, $ } for values whose Java class cannot be guessed; functions and symbols cannot be sent',
  ),
  ERR_SNAPSHOT_INVALID: entry(
    'config',
    'no',
    'a heap snapshot cannot be read',
    'give a complete .heapsnapshot file of Node.js 20 or newer',
  ),
  ERR_TLS_CONFIG: entry(
    'config',
    'no',
    'TLS settings cannot be used',
    'correct the named certificate, key, CA or option; nothing listens or dials without it',
  ),
  ERR_UPGRADE_FAILED: entry(
    'internal',
    'no',
    'the next generation did not take over',
    'see the reason; this process goes on serving',
  ),
  ERR_UPSTREAM_CONNECT: entry(
    'upstream',
    'yes',
    'no connection to the chosen host could be made',
    'check that the host listens on that address',
  ),
  ERR_UPSTREAM_PROTOCOL: entry(
    'upstream',
    'no',
    'the upstream sent bytes that its protocol does not allow',
    'look at the upstream; the reason stands in the log line',
  ),
  ERR_UPSTREAM_RESET: entry(
    'upstream',
    'ifReused',
    'the upstream closed before it answered',
    'look at the upstream; idle limits of both sides should differ',
  ),
  ERR_WORKER_DOWN: entry(
    'internal',
    'yes',
    'the worker thread of the mesh does not run at the moment',
    'nothing was sent; it is started again by itself, and mesh.health() says why it ended',
  ),
  ERR_WORKER_LOST: entry(
    'internal',
    'ifReused',
    'the worker thread of the mesh ended while this was under way',
    'the request may have reached the upstream: send again what may be repeated; the log line and mesh.health() say why it ended',
  ),
  ERR_WORKER_PROCESS: entry(
    'internal',
    'no',
    'a worker process did not do what its supervisor asked of it',
    'see the reason; the supervisor replaces a worker that ended and keeps the configuration that all of them run',
  ),
  ERR_WORKER_START: entry(
    'internal',
    'no',
    'the worker thread of the mesh did not start',
    'see the reason; a mesh without mode: "worker" runs on this thread',
  ),
  ERR_WORKER_VALUE: entry(
    'config',
    'no',
    'a value cannot cross to the worker thread',
    'give functions as modules: use: [new URL("./my-filter.js", import.meta.url)]; everything else as plain data',
  ),
} as const satisfies Record<string, ErrorCodeEntry>;

export type ErrorCode = keyof typeof errorCodes;
