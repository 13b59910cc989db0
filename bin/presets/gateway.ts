/** The edge: many strangers in front, several services behind. */
export const gateway = `# A gateway: strangers in front, services behind. Everything that a stranger can make grow is bounded.

listeners:
  - name: public
    address: 0.0.0.0:8080
    limits:
      maxConnections: 10000
      maxConnectionsPerSource: 200
      maxHeaderBytes: 16384
      maxBodyBytes: 10485760
      idleTimeoutMs: 60000
      headerTimeoutMs: 10000
    # "//" and "%2f" are ways around rules about paths.
    normalizePath: { dotSegments: true, mergeSlashes: true, escapedSlashes: reject }
    filters:
      - request-id
      # Behind another proxy say which: config: { trusted: [10.0.0.0/8] }
      - forwarded-headers
      - name: local-rate-limit
        config:
          bucket: { maxTokens: 5000, tokensPerFill: 2500 }
          descriptors: [{ key: [client], maxTokens: 100, tokensPerFill: 50 }]
      - name: cors
        config: { allowOrigins: ['https://app.example'] }
    accessLog:
      - path: stdout
    # What services tell strangers about themselves.
    removeResponseHeaders: [x-powered-by]
    virtualHosts:
      - name: site
        domains: [example.com, '*.example.com']
        routes:
          - match: { path: /healthz }
            directResponse: { status: 200, body: "ok\\n" }
            filterConfigs: { local-rate-limit: false }
          - match: { segmentPrefix: /api }
            cluster: api
            rewrite: { prefix: / }
            timeoutMs: 10000
            retry: { on: [connectFailure, reset, gatewayError], numRetries: 2, perTryTimeoutMs: 4000 }
          - match: { prefix: / }
            cluster: web
      - name: others
        domains: ['*']
        routes:
          - match: { prefix: / }
            directResponse: { status: 404, body: "no such site\\n" }

clusters:
  - name: api
    endpoints: [127.0.0.1:3000]
    loadBalancer: leastRequest
    circuitBreakers: { maxRequests: 2048, retryBudget: { ratio: 0.2, minConcurrent: 3 } }
  - name: web
    endpoints: [127.0.0.1:3001]

admin:
  address: 127.0.0.1:9901
  # token: change-me
`;
