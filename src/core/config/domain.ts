/** "api.example", "*.example", "api.*" or "*", each with an optional :port; IPv6 addresses in brackets. */
export function isDomain(text: string): boolean {
  const host = text.replace(/:\d{1,5}$/, '');
  if (host === '*' || /^\[[0-9a-f:.]+\]$/i.test(host)) return true;
  const labels = /^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/i;
  if (host.startsWith('*')) return /^\*[.-]/.test(host) && labels.test(host.slice(2));
  if (host.endsWith('*')) return /[.-]\*$/.test(host) && labels.test(host.slice(0, -2));
  return labels.test(host);
}
