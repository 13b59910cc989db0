import type { HeadView } from '../base/head-view.ts';
import type { HeaderOperation, HeaderOperations } from '../contract/route.ts';
import type { Stream } from '../contract/stream.ts';

/** Applies merged header operations: removals first, then additions in order (Envoy's HeaderParser). */
export function applyHeaderOperations(operations: HeaderOperations, head: HeadView, s: Stream): void {
  for (const name of operations.remove) head.remove(name);
  for (const operation of operations.apply) applyOne(operation, head, s);
}

function applyOne(operation: HeaderOperation, head: HeadView, s: Stream): void {
  switch (operation.action) {
    case 'addIfAbsent':
      if (head.has(operation.lowerName)) return;
      break;
    case 'overwrite':
      head.remove(operation.lowerName);
      break;
    case 'overwriteIfExists':
      if (!head.remove(operation.lowerName)) return;
      break;
    default:
  }
  if (operation.field !== null) head.addField(operation.field);
  else if (operation.value !== null) head.add(operation.lowerName, operation.value(s));
}

/** States the length of a body that is known as a whole now. */
export function setContentLength(head: HeadView, length: number): void {
  head.contentLength = length;
  head.set('content-length', String(length));
}
