import { messageOf } from '../../core/base/errors.ts';
import { RpcNames } from '../../core/base/rpc-names.ts';
import type { Stream } from '../../core/contract/stream.ts';
import {
  type FilterContext,
  type StreamFilter,
  type StreamFilterDefinition,
  Verdict,
} from '../../core/contract/stream-filter.ts';
import { countOne, filterCounter } from '../../core/filters/count.ts';
import { shapeHooks } from '../../core/filters/hooks.ts';
import { RouteConfigs } from '../../core/filters/route-config.ts';
import { RpcEngines } from '../rpc/engine.ts';
import { type TranscodeConfig, transcodeConfig } from './config.ts';
import { type PendingCall, ToHttp } from './to-http.ts';
import { ToRpc } from './to-rpc.ts';

/** What is done for one stream. */
interface Transcoding {
  readonly rule: ToRpc | ToHttp;
  /** Null until the request was replaced, and for calls towards RPC. */
  pending: PendingCall | null;
  isReplaced: boolean;
}

const json = { 'content-type': 'application/json' };

/**
 * HTTP/1.1 or HTTP/2 with JSON in front of Bolt and Dubbo services, or the other way round, by route:
 *
 *   curl -d '["ann"]' http://gateway/com.example.Greeter/sayHello     "hello ann"
 *
 * See docs/rpc.md for the forms of arguments, results and errors.
 *
 * @example
 * filters:
 *   - name: transcode
 *     config: { to: dubbo, version: "1.0", argTypes: { transfer: [long, java.math.BigDecimal] } }
 */
export const transcode: StreamFilterDefinition<TranscodeConfig> = {
  name: 'transcode',
  stage: 'afterRoute',
  config: transcodeConfig,
  create: (own, context) => createHooks(own, context),
};

function createHooks(own: TranscodeConfig, context: FilterContext): StreamFilter {
  const { metrics, slot } = context;
  const engines = new RpcEngines(new RpcNames());
  const rules = new RouteConfigs(slot, own, (each: TranscodeConfig) => ruleOf(each, engines));
  const transcoded = filterCounter(context, 'transcode', 'requests');
  const refused = filterCounter(context, 'transcode', 'refused');
  const stateOf = (s: Stream): Transcoding | undefined => s.attributes[slot] as Transcoding | undefined;

  const replace = (s: Stream, state: Transcoding, body: Buffer, put: (bytes: Buffer) => void): Verdict => {
    state.isReplaced = true;
    // What came in one piece was not collected, so nobody has looked yet.
    const isTooLarge = body.length > (s.pipeline?.maxBufferedBytes ?? 0);
    const verdict = isTooLarge
      ? refuse(s, 413, 'the body is too large')
      : replaceRequest(s, state, body, put);
    countOne(metrics, verdict === Verdict.continue ? transcoded : refused);
    return verdict;
  };
  return shapeHooks({
    onRequestHead(s) {
      const rule = rules.of(s)?.rule ?? null;
      if (rule === null || (s.req.framing === null) !== rule instanceof ToRpc) return Verdict.continue;
      const state: Transcoding = { rule, pending: null, isReplaced: false };
      s.attributes[slot] = state;
      if (!s.requestDone || s.requestBody.chunks.length > 0) return Verdict.stopAndBuffer;
      const first = s.firstBuf?.subarray(s.firstStart, s.firstEnd) ?? nothing;
      return replace(s, state, first, (bytes) => {
        s.firstBuf = bytes;
        s.firstStart = 0;
        s.firstEnd = bytes.length;
      });
    },
    onRequestBody(s, buf, a, b) {
      const state = stateOf(s);
      if (state === undefined || state.isReplaced) return Verdict.continue;
      return replace(s, state, buf.subarray(a, b), (bytes) => {
        s.requestBody.chunks[0] = bytes;
        s.requestBody.sizeBytes = bytes.length;
      });
    },
    onResponseHead(s) {
      const state = stateOf(s);
      // Local answers have HTTP's status whatever the protocol: codecs know what to make of it.
      if (state?.isReplaced !== true || s.isLocalReply) return Verdict.continue;
      if (state.rule instanceof ToRpc && s.res.framing !== state.rule.engine.framing) return Verdict.continue;
      return Verdict.stopAndBuffer;
    },
    onResponseBody(s, buf, a, b) {
      const state = stateOf(s);
      if (state?.isReplaced !== true || s.isLocalReply || s.responseStarted) return Verdict.continue;
      const bytes = replaceResponse(s, state, buf.subarray(a, b));
      if (bytes === null) return Verdict.continue;
      s.responseBody.chunks[0] = bytes;
      s.responseBody.sizeBytes = bytes.length;
      return Verdict.continue;
    },
  });
}

function ruleOf(config: TranscodeConfig, engines: RpcEngines): { readonly rule: ToRpc | ToHttp | null } {
  if (config.to === undefined) return { rule: null };
  if (config.to === 'http') return { rule: new ToHttp(engines, config) };
  return { rule: new ToRpc(engines.get(config.to), config) };
}

function replaceRequest(s: Stream, state: Transcoding, body: Buffer, put: (bytes: Buffer) => void): Verdict {
  const { rule } = state;
  if (rule instanceof ToRpc) {
    const frame = rule.frameOf(s.req, body);
    if (!Buffer.isBuffer(frame)) {
      return refuse(s, frame.status, frame.message);
    }
    rule.replaceRequest(s, frame);
    put(frame.subarray(s.req.bodyStart, s.req.bodyEnd));
    return Verdict.continue;
  }
  try {
    state.pending = rule.read(s, body);
    if (state.pending !== null) put(rule.replaceRequest(s, state.pending));
    return Verdict.continue;
  } catch (thrown) {
    return s.reply(400, messageOf(thrown));
  }
}

function refuse(s: Stream, status: number, message: string): Verdict {
  return s.reply(status, JSON.stringify({ error: { code: 'ERR_REQUEST_INVALID', message } }), json);
}

/** Null: nothing to replace. */
function replaceResponse(s: Stream, { rule, pending }: Transcoding, body: Buffer): Buffer | null {
  if (rule instanceof ToRpc) return rule.replaceResponse(s, body);
  return pending === null ? null : rule.replaceResponse(s, pending, body);
}

const nothing: Buffer = Buffer.alloc(0);
