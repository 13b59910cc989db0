import { HeddleError } from '../base/errors.ts';
import type { Labels } from '../contract/metrics.ts';

const metricName = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const labelName = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
/** Where series beyond the cap go. */
const other = '_other';
/** Label values come from strangers: longer ones are cut, so that the cap on series bounds memory. */
const maxLabelLength = 256;

/** @throws HeddleError ERR_OPTION_INVALID */
export function checkMetricName(name: string): void {
  if (!metricName.test(name)) {
    throw new HeddleError('ERR_OPTION_INVALID', `metric name ${JSON.stringify(name)} is not allowed`);
  }
}

/** @throws HeddleError ERR_OPTION_INVALID */
export function checkLabels(metric: string, labels: Labels): void {
  for (const name of Object.keys(labels)) {
    if (labelName.test(name)) continue;
    throw new HeddleError('ERR_OPTION_INVALID', `label ${JSON.stringify(name)} of ${metric} is not allowed`);
  }
}

/** `a="1",b="x\"y"`: sorted, escaped as the text format wants it. "" without labels. */
export function labelText(labels: Labels): string {
  const names = Object.keys(labels).sort();
  let text = '';
  for (const name of names) {
    text += `${text === '' ? '' : ','}${name}="${escapeLabel(labels[name] as string)}"`;
  }
  return text;
}

/** The same label names, every value `_other`. */
export function otherLabels(labels: Labels): Labels {
  return Object.fromEntries(Object.keys(labels).map((name) => [name, other]));
}

function escapeLabel(value: string): string {
  const short = value.length > maxLabelLength ? value.slice(0, maxLabelLength) : value;
  return /[\\"\n]/.test(short)
    ? short.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
    : short;
}
