import type { ClusterExplanation, Explanation, RouteOutcome } from '../src/index.ts';

/** An explanation for people: what happens on the left, why indented below it. */
export function explanationText(told: Explanation): string {
  const { connection } = told;
  const lines = [
    connection === null ? 'calls of this process' : `listener ${told.at} at ${connection.address}`,
  ];
  if (connection !== null) {
    const filters =
      connection.networkFilters.length > 0 ? `, network filters ${connection.networkFilters.join(', ')}` : '';
    lines.push(`  codec ${connection.codec}${filters}`);
  }
  lines.push(`  path ${told.path}`);
  if (told.refused !== null) return [...lines, `  ${told.refused}`].join('\n');
  return [...lines, ...routesLines(told), ...(told.route === null ? noRoute : outcomeLines(told.route))].join(
    '\n',
  );
}

const noRoute = ['no route: 404'];

function routesLines({ routes }: Explanation): string[] {
  if (routes === null) return ['no virtual hosts: the authority is the name of a cluster'];
  const lines: string[] = [];
  for (const { name, isChosen, why } of routes.virtualHosts) {
    lines.push(`${mark(isChosen)} virtual host ${name}`, `    ${why}`);
  }
  for (const { name, isChosen, why } of routes.routes) {
    lines.push(`${mark(isChosen)}   route ${name}`, ...why.map((each) => `      ${each}`));
  }
  if (routes.leftOut > 0) lines.push(`    ${routes.leftOut} more routes are not shown`);
  return lines;
}

const mark = (isChosen: boolean): string => (isChosen ? '*' : '-');

function outcomeLines(route: RouteOutcome): string[] {
  const lines = [`route ${route.name}: ${route.action}`];
  if (route.answer !== null) {
    const { status, location, body } = route.answer;
    lines.push(
      `  answers ${status}${location === undefined ? '' : ` to ${location}`}${body ? ` ${JSON.stringify(body)}` : ''}`,
    );
  }
  if (route.upstream !== null)
    lines.push(`  upstream sees ${route.upstream.authority || '(no host)'} ${route.upstream.path}`);
  lines.push(...limitLines(route));
  for (const { name, stage, isOn, from, config } of route.filters) {
    const what = isOn ? JSON.stringify(config) : 'off';
    lines.push(
      `  filter ${name} (${stage}), from the ${from === 'virtualHost' ? 'virtual host' : from}: ${what}`,
    );
  }
  return [...lines, ...route.clusters.flatMap(clusterLines)];
}

function limitLines({ limits, retry, mirrors }: RouteOutcome): string[] {
  const set = Object.entries(limits).filter(([, value]) => value > 0);
  const lines = [`  limits ${set.map(([name, value]) => `${name} ${value}`).join(', ') || 'none'}`];
  for (const mirror of mirrors) lines.push(`  mirror ${JSON.stringify(mirror)}`);
  if (retry !== null) lines.push(`  retry ${JSON.stringify(retry)}`);
  return lines;
}

function clusterLines(cluster: ClusterExplanation): string[] {
  const { name, share, balancer, subset, host, failure, hosts, hostCount } = cluster;
  const part = share < 1 ? ` (${Math.round(share * 1000) / 10} per cent)` : '';
  const wanted = Object.entries(subset).map(([key, value]) => `${key}=${value}`);
  const lines = [`cluster ${name}${part}${balancer === '' ? '' : `, ${balancer}`}`];
  const thresholds = Object.entries(cluster.circuitBreakers).filter(([, value]) => Number(value) > 0);
  if (thresholds.length > 0)
    lines.push(`  thresholds ${thresholds.map((each) => each.join(' ')).join(', ')}`);
  if (wanted.length > 0) lines.push(`  subset ${wanted.join(', ')}`);
  if (failure !== null) lines.push(`  no host: ${failure}`);
  for (const each of hosts) lines.push(`${mark(each.isChosen)}   host ${each.address}: ${each.why}`);
  if (hostCount > hosts.length) lines.push(`    ${hostCount - hosts.length} more hosts are not shown`);
  if (host !== null && !hosts.some((each) => each.isChosen)) lines.push(`*   host ${host}`);
  return lines;
}
