/** A known difference: the request's name and what differs must match. One without an entry fails the check. */
export interface KnownDifference {
  readonly request: RegExp;
  readonly difference: RegExp;
  /** MOSN's defect, or our decision. */
  readonly reason: string;
}

const any = /(?:)/;
const refused = / (\/%2e%2e\/x|\/%zz|\/under x_under=1)$/;
const failed = / (\/slow|\/dead|\/empty-cluster)$/;
const noRoute = /variables\.example (\/both content-type=text\/plain|\/q\?debug=12|\/nothing)$/;
const otherPort = / (exact\.example:9999|exact\.example\.|a\.wild\.example:8080) /;

export const knownDifferences: readonly KnownDifference[] = [
  {
    request: any,
    difference: /^answer header (host|x-mine|x-level|x-router): [^|]+ \| -$/,
    reason: "MOSN's defect: its own answers carry the headers of the request",
  },
  {
    request: any,
    difference: /^upstream header x-mosn-original-path: [^|]+ \| -$/,
    reason: 'decision: a service is not told about rewrites unless a route adds a header',
  },
  {
    request: any,
    difference: /^upstream header content-type: application\/octet-stream \| -$/,
    reason: "MOSN's defect: its HTTP library gives a type to requests without a body",
  },
  {
    request: / \/no-type$/,
    difference: /^answer header content-type: text\/plain; charset=utf-8 \| -$/,
    reason: "MOSN's defect: its HTTP library gives a type to answers that have none",
  },
  {
    request: any,
    difference: /^answer header content-type: text\/plain; charset=utf-8 \| text\/plain$/,
    reason: 'decision: a direct response says that it is text and no more',
  },
  {
    request: / (EXACT|A\.WILD)\.example /,
    difference: /^upstream header host: /,
    reason: "MOSN's defect: it changes the case of the authority on its way",
  },
  {
    request: otherPort,
    difference:
      /^(upstream|body|(answer|upstream) header x-(answer|from|upstream-secret|host-level|level)): /,
    reason: 'decision: a domain without a port stands for any port, and a final dot means nothing',
  },
  {
    request: / \/(old|to-host|default)/,
    difference: /^answer header location: http:(\/\/[^/]+)?(\S+) \| (\1)?\2$/,
    reason:
      'decision: what a redirect leaves alone is left to the client, so that it is right behind TLS too',
  },
  {
    request: / \/double\/x$/,
    difference: /^url upstream: \/twice\/\/x \| \/twice\/x$/,
    reason: 'decision: one slash stands where a new prefix and the rest of a path meet',
  },
  {
    request: / \/ONE$/,
    difference: /^url upstream: \/ONE \| \/two$/,
    reason: "MOSN's defect: it matches the path in any case and rewrites it in the configured one only",
  },
  {
    request: /variables\.example/,
    difference: /^upstream header (x-level|x-router): - \| /,
    reason: "MOSN's defect: routes by variables do without header edits, those of their levels included",
  },
  {
    request: new RegExp(`${failed.source}|${noRoute.source}`),
    difference: /^(body: {2}\||answer header (x-heddle-error|content-type): - \|)/,
    reason: 'decision: an answer of our own says why it came about',
  },
  {
    request: / \/(dead|empty-cluster)$/,
    difference: /^status: 502 \| 503$/,
    reason: 'decision: 503 where no host could be asked, as Envoy has it; 502 is for bad answers',
  },
  {
    request: / \/a\/\.\/b$/,
    difference: /^url upstream: \/a\/\.\/b \| \/a\/b$/,
    reason: 'decision: filters, routes and services see the path in one form (RFC 3986 section 6.2.2)',
  },
  {
    request: / \/a%2fb$/,
    difference: /^url upstream: \/a%2fb \| \/a%2Fb$/,
    reason: 'decision: escapes are in upper case (RFC 3986 section 6.2.2.1)',
  },
  {
    request: / \/\?$/,
    difference: /^url upstream: \/ \| \/\?$/,
    reason: "MOSN's defect: an empty query is taken away",
  },
  {
    request: refused,
    difference: /^(status: 200 \| 400|upstream: a \| -|body: a \| downstream_protocol|answer header x-)/,
    reason:
      'decision: refused: a path that climbs above its root, a broken escape, a header name that may pose as another',
  },
];
