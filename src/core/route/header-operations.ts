import type { HeadView } from '../base/head-view.ts';
import { bitOfName, headerField } from '../base/header-field.ts';
import type { HeaderEditsConfig, HeaderOperationConfig } from '../contract/config.ts';
import type { HeaderOperation, HeaderOperations } from '../contract/route.ts';
import type { Stream } from '../contract/stream.ts';

/** Compiles a text with `%OPERATORS%`. */
export type CompileValue = (text: string) => (s: Stream) => string;

export interface HeaderEdits {
  readonly request: HeaderOperations | null;
  readonly response: HeaderOperations | null;
}

/** The edits of one level, their constant headers made into bytes once. */
export function compileEdits(config: HeaderEditsConfig, compileValue: CompileValue): HeaderEdits {
  return {
    request: compileSide(config.removeRequestHeaders, config.requestHeaders, compileValue),
    response: compileSide(config.removeResponseHeaders, config.responseHeaders, compileValue),
  };
}

function compileSide(
  remove: readonly string[],
  apply: readonly HeaderOperationConfig[],
  compileValue: CompileValue,
): HeaderOperations | null {
  if (remove.length === 0 && apply.length === 0) return null;
  const edits = apply.map((each) => compileOperation(each, compileValue));
  return operations(
    remove.map((name) => name.toLowerCase()),
    edits,
  );
}

function operations(remove: readonly string[], apply: readonly HeaderOperation[]): HeaderOperations {
  const removeBits = remove.reduce((bits, lowerName) => bits | bitOfName(lowerName), 0);
  return { remove, removeBits, apply };
}

function compileOperation(config: HeaderOperationConfig, compileValue: CompileValue): HeaderOperation {
  const isConstant = !config.value.includes('%');
  const [, copied] = /^%REQ\(([A-Za-z0-9-]+)\)%$/.exec(config.value) ?? [];
  return {
    lowerName: config.name.toLowerCase(),
    bit: bitOfName(config.name),
    action: config.action,
    field: isConstant ? headerField(config.name, config.value) : null,
    value: isConstant ? null : compileValue(config.value),
    copied: copied?.toLowerCase() ?? null,
    nameField: headerField(config.name.toLowerCase(), ''),
  };
}

/** Merges both sides of two levels; `outer` is the less specific one and is applied after `inner`, as in Envoy. */
export function mergeEdits(inner: HeaderEdits, outer: HeaderEdits): HeaderEdits {
  if (inner.request === null && inner.response === null) return outer;
  if (outer.request === null && outer.response === null) return inner;
  return {
    request: mergeOperations(inner.request, outer.request),
    response: mergeOperations(inner.response, outer.response),
  };
}

/** Two levels as one list that does what the two would one after the other; each removes before it edits. */
function mergeOperations(
  inner: HeaderOperations | null,
  outer: HeaderOperations | null,
): HeaderOperations | null {
  if (inner === null || outer === null) return inner ?? outer;
  if (inner.apply.length === 0) {
    return operations([...new Set([...inner.remove, ...outer.remove])], outer.apply);
  }
  const removals = outer.remove.map(
    (lowerName): HeaderOperation => ({
      lowerName,
      bit: bitOfName(lowerName),
      action: 'remove',
      field: null,
      value: null,
      copied: null,
      nameField: headerField(lowerName, ''),
    }),
  );
  return operations(inner.remove, [...inner.apply, ...removals, ...outer.apply]);
}

/**
 * Applies edits to a head. An operator that gives "" adds no header (Envoy's keep_empty_value = false); with
 * `overwrite` the header that was there goes all the same.
 * @throws HeddleError ERR_HEADER_INVALID when an operator gives a control character
 */
export function applyHeaderOperations(operations: HeaderOperations, head: HeadView, s: Stream): void {
  const { remove, removeBits, apply } = operations;
  if (!head.lacks(removeBits)) for (let i = 0; i < remove.length; i++) head.remove(remove[i] as string);
  for (let i = 0; i < apply.length; i++) applyOne(apply[i] as HeaderOperation, head, s);
}

function applyOne(operation: HeaderOperation, head: HeadView, s: Stream): void {
  const { lowerName, action, field } = operation;
  // One test of bits says so for most names (2 ns); a look-up that finds nothing costs 10.
  const isAbsent = head.lacks(operation.bit);
  if (action === 'remove') {
    if (!isAbsent) head.remove(lowerName);
    return;
  }
  if (action === 'addIfAbsent' && !isAbsent && head.has(lowerName)) return;
  if (action === 'overwriteIfExists' && (isAbsent || !head.has(lowerName))) return;
  const replaces = !isAbsent && (action === 'overwrite' || action === 'overwriteIfExists');
  if (field !== null) {
    if (replaces) head.remove(lowerName);
    head.addField(field);
  } else if (operation.copied !== null) {
    const index = s.req.find(operation.copied);
    if (replaces) head.remove(lowerName);
    // A removed field keeps its bytes: it may be the one that is copied.
    if (index >= 0) head.addCopy(operation.nameField, s.req, index);
  } else {
    // The value is made before the old one goes: it may be made of it.
    const value = operation.value === null ? '' : operation.value(s);
    if (replaces) head.remove(lowerName);
    if (value !== '') head.add(lowerName, value);
  }
}
