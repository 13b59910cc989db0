import type { MosnContext } from './context.ts';
import type { Place } from './report.ts';

/** MOSN's protocol names to codecs of ours. */
const codecs: Readonly<Record<string, string>> = {
  Http1: 'http1',
  Http2: 'http2',
  bolt: 'bolt',
  boltv2: 'bolt',
  dubbo: 'dubbo',
  'dubbo-thrift': 'dubbo-thrift',
  tars: 'tars',
};
const names = [...Object.keys(codecs), 'Auto', 'X'];

/** What is said in place of a codec that is not there, so that nothing else complains about it. */
const standIn = 'http1';

/**
 * Codecs of a `downstream_protocol`: one name, a comma list, "Auto" for all of MOSN's, "X" with its sub-protocol.
 * @param subProtocol `extend_config.sub_protocol`, "" when absent
 */
export function downstreamCodecs(
  context: MosnContext,
  protocol: string,
  subProtocol: string,
  place: Place,
): string[] {
  const found = new Set<string>();
  for (const each of protocol.split(',').map((part) => part.trim())) {
    if (each === '') continue;
    if (each === 'Auto') for (const codec of mosnCodecs(context)) found.add(codec);
    else if (each !== 'X') found.add(codecOf(context, each, place));
    else if (subProtocol === '') {
      context.report.problem(place, each, '"X" together with extend_config.sub_protocol');
    } else {
      for (const codec of downstreamCodecs(context, subProtocol, '', place)) found.add(codec);
    }
  }
  if (found.size === 0) found.add(standIn);
  return [...found];
}

/** The codec of one protocol name; tells when there is none. */
export function codecOf(context: MosnContext, protocol: string, place: Place): string {
  const known = allCodecs(context);
  const codec = Object.hasOwn(codecs, protocol) ? codecs[protocol] : undefined;
  if (codec !== undefined && known.includes(codec)) return codec;
  // A codec of the user's own is called by its own name.
  if (codec === undefined && known.includes(protocol)) return protocol;
  const here = names.filter((each) => each === 'Auto' || known.includes(codecs[each] ?? '')).join(', ');
  const why = codec === undefined ? '' : `; the codec ${codec} is not in this build`;
  const meant = codec === undefined ? names : [];
  context.report.problem(place, protocol, `a protocol that is spoken here: ${here}${why}`, meant);
  return standIn;
}

/** Those of MOSN's protocols that are spoken here. */
function mosnCodecs(context: MosnContext): string[] {
  const known = allCodecs(context);
  return [...new Set(Object.values(codecs))].filter((codec) => known.includes(codec));
}

function allCodecs({ extensions }: MosnContext): string[] {
  return extensions.codecs.filter((each) => each.isDetector !== true).map((each) => each.name);
}
