/** Results of Tars (TarsProtocol, global return codes). */
const noFunction = -3;
const noServant = -4;
const timedOut = -7;
const connectFailed = -8;
const overloaded = -9;
const decodeFailed = -1;
const unknown = -99;

export function httpStatusOf(ret: number): number {
  switch (ret) {
    case 0:
      return 200;
    case decodeFailed:
      return 400;
    case noFunction:
    case noServant:
      return 404;
    // Waited too long in the server's queue.
    case -6:
    case timedOut:
      return 504;
    case connectFailed:
      return 502;
    case overloaded:
      return 503;
    default:
      return 500;
  }
}

export function retOf(httpStatus: number): number {
  switch (httpStatus) {
    case 404:
      return noServant;
    case 408:
    case 504:
      return timedOut;
    case 429:
    case 503:
      return overloaded;
    case 502:
      return connectFailed;
    default:
      if (httpStatus < 300) return 0;
      return httpStatus < 500 ? decodeFailed : unknown;
  }
}
