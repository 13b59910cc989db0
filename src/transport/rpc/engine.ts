import { Code } from '../../core/base/codes.ts';
import { HeddleError } from '../../core/base/errors.ts';
import type { HeadView } from '../../core/base/head-view.ts';
import type { RpcNames } from '../../core/base/rpc-names.ts';
import { boltProtocol } from '../codecs/bolt/protocol.ts';
import { dubboProtocol } from '../codecs/dubbo/protocol.ts';
import type { FramedProtocol, ReadContext } from '../codecs/framed/index.ts';
import { BoltMessages } from './bolt-messages.ts';
import type { RpcProtocol } from './call.ts';
import { DubboMessages } from './dubbo-messages.ts';
import { HessianLibrary } from './hessian-library.ts';
import type { RpcMessages } from './messages.ts';
import { ownFrames } from './own-frames.ts';

/** One protocol: its frames as messages, and its frames as the heads that the core works with. */
export interface RpcEngine {
  readonly messages: RpcMessages;
  readonly framing: FramedProtocol;
  /** Fills a clean request head from a whole frame. @throws HeddleError ERR_RPC_VALUE when the codec refuses it */
  readRequest(head: HeadView, frame: Buffer): void;
  readResponse(head: HeadView, frame: Buffer): void;
}

/** The engines of one mesh; a library is loaded when a protocol is used for the first time. */
export class RpcEngines {
  readonly #context: ReadContext;
  readonly #made = new Map<RpcProtocol, RpcEngine>();

  constructor(names: RpcNames) {
    this.#context = { names, limits: ownFrames };
  }

  /** @throws HeddleError ERR_PEER_MISSING */
  get(protocol: RpcProtocol): RpcEngine {
    const known = this.#made.get(protocol);
    if (known !== undefined) return known;
    const library = HessianLibrary.load(protocol);
    const messages = protocol === 'bolt' ? new BoltMessages(library) : new DubboMessages(library);
    const engine = createEngine(messages, framingOf(protocol), this.#context);
    this.#made.set(protocol, engine);
    return engine;
  }
}

/** The protocol that a head was read by; null: none of these. */
export function protocolOf(head: HeadView): RpcProtocol | null {
  if (head.framing === boltProtocol) return 'bolt';
  return head.framing === dubboProtocol ? 'dubbo' : null;
}

const framingOf = (protocol: RpcProtocol): FramedProtocol =>
  protocol === 'bolt' ? boltProtocol : dubboProtocol;

function createEngine(messages: RpcMessages, framing: FramedProtocol, context: ReadContext): RpcEngine {
  const check = (code: number): void => {
    if (code !== Code.none) throw new HeddleError('ERR_RPC_VALUE', `the frame is refused with code ${code}`);
  };
  return {
    messages,
    framing,
    readRequest: (head, frame) => check(framing.readRequest(head, frame, 0, frame.length, context)),
    readResponse: (head, frame) => check(framing.readResponse(head, frame, 0, frame.length)),
  };
}
