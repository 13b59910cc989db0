import { messageOf } from '../../core/base/errors.ts';
import type { RpcException } from './call.ts';

const defaultClass = 'java.lang.RuntimeException';
const maxStackChars = 16 * 1024;

/**
 * For handlers of `mesh.serveRpc`: throws this class at a Java caller.
 *
 * @example
 * throw new JavaException('com.example.NoSuchUserException', 'no user 42', { userId: 42 });
 */
export class JavaException extends Error {
  override readonly name = 'JavaException';
  readonly className: string;
  readonly fields: Readonly<Record<string, unknown>>;

  /** @param className the Java class; the caller needs it on its class path */
  constructor(className: string, message: string, fields: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.className = className;
    this.fields = fields;
  }
}

/** What a handler threw, for the wire. Stack traces of ours stay here. */
export function exceptionOf(thrown: unknown): RpcException {
  if (thrown instanceof JavaException) {
    const { className, message, fields } = thrown;
    return { className, message, stack: '', fields };
  }
  return { className: defaultClass, message: messageOf(thrown), stack: '' };
}

/** The value that a Java reader makes its Throwable of. */
export function throwableValue(exception: RpcException): unknown {
  const own = {
    detailMessage: exception.message,
    stackTrace: { $class: stackTraceClass, $: [] },
    cause: null,
  };
  return { $class: exception.className, $: { ...own, ...exception.fields } };
}

const stackTraceClass = '[java.lang.StackTraceElement';

/**
 * What a library read where a Throwable stands: an Error of its own making, or the fields.
 *
 * @param className where the caller knows it; "": what the library says
 */
export function readThrowable(value: unknown, className = ''): RpcException {
  if (value instanceof Error) {
    const stack = (value.stack ?? '').slice(0, maxStackChars);
    return { className: className === '' ? value.name : className, message: value.message, stack };
  }
  const { detailMessage } = (value ?? {}) as { readonly detailMessage?: unknown };
  const message = typeof detailMessage === 'string' ? detailMessage : typeof value === 'string' ? value : '';
  return { className: className === '' ? defaultClass : className, message, stack: '' };
}

/** Is that the name of a Throwable? For values that come without any other sign of it. */
export const namesThrowable = (className: string): boolean => /(Exception|Error|Throwable)$/.test(className);
