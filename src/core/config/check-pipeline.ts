import type { CheckOptions } from './check-options.ts';
import { checkRoute } from './check-route.ts';
import type { Cursor } from './cursor.ts';
import { isDomain } from './domain.ts';
import type { ProblemList } from './problems.ts';
import { refuseRepeats, refuseTogether } from './repeats.ts';

/** A listener or the in-process entry. @param clusters names that routes may use */
export function checkPipeline(
  pipeline: Cursor,
  clusters: ReadonlySet<string>,
  options: CheckOptions,
  problems: ProblemList,
): void {
  checkEdits(pipeline, options, problems);
  for (const log of pipeline.at('accessLog').items()) checkAccessLog(log, options, problems);
  const hosts = pipeline.at('virtualHosts').items();
  refuseRepeats(
    hosts.map((host) => host.at('name')),
    'virtual host',
    problems,
  );
  refuseRepeats(
    hosts.flatMap((host) => host.at('domains').items()),
    'domain',
    problems,
  );
  for (const host of hosts) {
    checkHost(host, problems);
    checkEdits(host, options, problems);
    for (const route of host.at('routes').items()) {
      checkRoute(route, clusters, options, problems);
      checkEdits(route, options, problems);
      for (const share of route.at('weightedClusters').items()) checkEdits(share, options, problems);
    }
  }
}

function checkHost(host: Cursor, problems: ProblemList): void {
  for (const key of ['domains', 'routes']) {
    const list = host.at(key);
    if (Array.isArray(list.value) && list.value.length === 0) {
      problems.add(list.path, [], `at least one of ${key}, as the virtual host would do nothing`);
    }
  }
  for (const domain of host.at('domains').items()) {
    const text = domain.text();
    if (text !== null && !isDomain(text)) {
      problems.add(domain.path, text, '"api.example", "*.example", "api.*" or "*", with :port or without');
    }
  }
}

const readyFormats = ['heddle', 'envoy', 'mosn'];

function checkAccessLog(log: Cursor, options: CheckOptions, problems: ProblemList): void {
  refuseTogether(log, ['format', 'json'], problems);
  const format = log.at('format').text();
  if (format !== null && !readyFormats.includes(format)) {
    if (!format.includes('%')) {
      const allowed = '"heddle", "envoy", "mosn" or a text with %OPERATORS%';
      problems.add(log.at('format').path, format, allowed, readyFormats);
    } else checkValue(log.at('format'), options, problems);
  }
  checkTexts(log.at('json'), options, problems);
}

function checkEdits(level: Cursor, options: CheckOptions, problems: ProblemList): void {
  for (const key of ['requestHeaders', 'responseHeaders']) {
    for (const edit of level.at(key).items()) checkValue(edit.at('value'), options, problems);
  }
}

/** Every text within a JSON template. */
function checkTexts(place: Cursor, options: CheckOptions, problems: ProblemList): void {
  checkValue(place, options, problems);
  for (const item of place.items()) checkTexts(item, options, problems);
  for (const [, item] of place.entries()) checkTexts(item, options, problems);
}

/** A text with operators, by the compiler that the caller gave. */
function checkValue(place: Cursor, options: CheckOptions, problems: ProblemList): void {
  const text = place.text();
  if (text === null || !text.includes('%') || options.checkValue === undefined) return;
  for (const problem of options.checkValue(text)) problems.add(place.path, text, problem);
}
