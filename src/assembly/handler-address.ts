const prefix = 'handler:';

/** The address of a host that is code of this process. */
export function handlerAddress(cluster: string): string {
  return prefix + cluster;
}

export function isHandler(address: string): boolean {
  return address.startsWith(prefix);
}
