/** A proxy beside one service: takes its requests in, and carries its own requests out. */
export const sidecar = `# A sidecar: "ingress" takes what is meant for the service of this machine, "egress" carries what it asks of others.
# Point the service at 127.0.0.1:15001 for its own calls, and its callers at port 15006 of this machine.

listeners:
  - name: ingress
    address: 0.0.0.0:15006
    filters:
      - request-id
      - forwarded-headers
      # What one client may ask for; a service is asked by few, so the bound is generous.
      - name: local-rate-limit
        config: { descriptors: [{ key: [client], maxTokens: 2000, tokensPerFill: 1000 }] }
    accessLog:
      - path: stdout
    virtualHosts:
      - name: app
        domains: ['*']
        routes:
          - match: { prefix: / }
            cluster: app
            # The caller has its own limit; this one keeps a hung service from holding requests for ever.
            timeoutMs: 60000

  - name: egress
    # Only the service itself may use it.
    address: 127.0.0.1:15001
    filters: [request-id]
    virtualHosts:
      # One virtual host for each service that is called: its name is the authority of the call.
      - name: users
        domains: [users, users.internal]
        routes:
          - match: { prefix: / }
            cluster: users
            timeoutMs: 15000
            retry: { on: [connectFailure, reset, refusedStream], numRetries: 2 }
      - name: unknown
        domains: ['*']
        routes:
          - match: { prefix: / }
            directResponse: { status: 404, body: "no such service is configured here\\n" }

clusters:
  - name: app
    endpoints: [127.0.0.1:8080]
    # The one host there is: nobody is helped when it is taken out.
    outlierDetection: { consecutiveErrors: 0 }
    circuitBreakers: { maxRequests: 1024 }

  - name: users
    # endpoints: [10.0.0.1:8080, 10.0.0.2:8080]
    discovery: { name: dns, service: 'localhost:8081' }
    loadBalancer: leastRequest
    outlierDetection: { consecutiveErrors: 5 }

# GET /ready, /health, /metrics, /config_dump; writes need the token.
admin:
  address: 127.0.0.1:9901
  # token: change-me
`;
