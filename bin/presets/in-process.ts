/** A mesh inside one program: no listener, no socket of its own. */
export const inProcess = `# A mesh inside a program, no proxy and no port:
#   import { createMesh, loadConfigFile } from 'heddle';
#   await using mesh = await createMesh(await loadConfigFile('heddle.yaml'));
#   const user = await (await mesh.fetch('http://users/42')).json();

clusters:
  # The name is the host of the URL: http://users/...
  - name: users
    endpoints: [127.0.0.1:3000]
    loadBalancer: leastRequest
    connectTimeoutMs: 1000
    outlierDetection: { consecutiveErrors: 5, baseEjectionMs: 30000 }
    circuitBreakers: { maxRequests: 512, maxPending: 256, retryBudget: { ratio: 0.2, minConcurrent: 3 } }
    pool: { idleTimeoutMs: 30000 }

inProcess:
  filters: [request-id]
  # Without virtual hosts a call goes to the cluster of its host name, without retries. With them, all that should be
  # reachable is named:
  virtualHosts:
    - name: users
      domains: [users]
      routes:
        - match: { prefix: / }
          cluster: users
          timeoutMs: 5000
          retry: { on: [connectFailure, reset, refusedStream], numRetries: 2, perTryTimeoutMs: 2000 }
`;
