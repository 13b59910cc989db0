import { formatValue } from './dom.js';

/** Draws the tree with d3-flame-graph; in a difference red grew and blue shrank. */
export function drawFlame(place, details, tree, { unit, isDifference }) {
  place.replaceChildren();
  details.textContent = '';
  const chart = globalThis.flamegraph.default ?? globalThis.flamegraph.flamegraph ?? globalThis.flamegraph;
  const describe = ({ data }) => {
    const share = tree.value === 0 ? 0 : (data.value / tree.value) * 100;
    const delta = isDifference ? `, ${data.delta >= 0 ? '+' : ''}${formatValue(data.delta, unit)}` : '';
    return `${data.name}: ${formatValue(data.value, unit)} (${share.toFixed(1)} %${delta}) ${data.place}`;
  };
  const graph = chart()
    .width(Math.max(300, place.clientWidth))
    .cellHeight(20)
    .inverted(true)
    .sort(true)
    .minFrameSize(1)
    .transitionDuration(0)
    .setLabelHandler(describe)
    .label(describe);
  if (isDifference) graph.setColorMapper((node) => differenceColor(node.data, tree.value));
  graph.setDetailsElement(details);
  globalThis.d3.select(place).datum(tree).call(graph);
  place.search = (text) => (text === '' ? graph.clear() : graph.search(text));
}

function differenceColor({ delta }, total) {
  const strength = Math.min(1, Math.abs(delta) / Math.max(1, total * 0.2)) ** 0.5;
  const fade = Math.round(235 - strength * 150);
  if (delta === 0) return 'rgb(235, 235, 235)';
  return delta > 0 ? `rgb(235, ${fade}, ${fade})` : `rgb(${fade}, ${fade}, 235)`;
}
