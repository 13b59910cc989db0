import { writeLatin1 } from '../../../core/base/latin1.ts';

/** Reason phrases of the IANA status code registry. */
const reasons: Readonly<Record<number, string>> = {
  100: 'Continue',
  101: 'Switching Protocols',
  102: 'Processing',
  103: 'Early Hints',
  200: 'OK',
  201: 'Created',
  202: 'Accepted',
  203: 'Non-Authoritative Information',
  204: 'No Content',
  205: 'Reset Content',
  206: 'Partial Content',
  207: 'Multi-Status',
  208: 'Already Reported',
  226: 'IM Used',
  300: 'Multiple Choices',
  301: 'Moved Permanently',
  302: 'Found',
  303: 'See Other',
  304: 'Not Modified',
  305: 'Use Proxy',
  307: 'Temporary Redirect',
  308: 'Permanent Redirect',
  400: 'Bad Request',
  401: 'Unauthorized',
  402: 'Payment Required',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  406: 'Not Acceptable',
  407: 'Proxy Authentication Required',
  408: 'Request Timeout',
  409: 'Conflict',
  410: 'Gone',
  411: 'Length Required',
  412: 'Precondition Failed',
  413: 'Content Too Large',
  414: 'URI Too Long',
  415: 'Unsupported Media Type',
  416: 'Range Not Satisfiable',
  417: 'Expectation Failed',
  418: "I'm a Teapot",
  421: 'Misdirected Request',
  422: 'Unprocessable Content',
  423: 'Locked',
  424: 'Failed Dependency',
  425: 'Too Early',
  426: 'Upgrade Required',
  428: 'Precondition Required',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  451: 'Unavailable For Legal Reasons',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
  505: 'HTTP Version Not Supported',
  506: 'Variant Also Negotiates',
  507: 'Insufficient Storage',
  508: 'Loop Detected',
  510: 'Not Extended',
  511: 'Network Authentication Required',
};

const firstStatus = 100;
const lastStatus = 599;
/** One buffer with all status lines and their offsets: 500 small Buffers would cost 50 KB of heap. */
const lineStarts: number[] = [];
const lines: Buffer = buildLines();

function buildLines(): Buffer {
  let text = '';
  for (let status = firstStatus; status <= lastStatus; status++) {
    lineStarts.push(text.length);
    text += statusLine(status, reasonOf(status));
  }
  lineStarts.push(text.length);
  return Buffer.from(text, 'latin1');
}

/** The standard reason phrase, "" where there is none. */
export function reasonOf(status: number): string {
  return reasons[status] ?? '';
}

function statusLine(status: number, reason: string): string {
  return `HTTP/1.1 ${status} ${reason}\r\n`;
}

/** Writes the status line; a status outside 100 to 599 is written with an empty reason. Returns the offset behind it. */
export function writeStatusLine(target: Buffer, at: number, status: number, reason: string): number {
  if (reason !== '' || status < firstStatus || status > lastStatus) {
    return at + writeLatin1(target, statusLine(status, reason.replace(/[^\t\x20-\x7e\x80-\xff]/g, ' ')), at);
  }
  const from = lineStarts[status - firstStatus] as number;
  const to = lineStarts[status - firstStatus + 1] as number;
  for (let i = from; i < to; i++) target[at++] = lines[i] as number;
  return at;
}

export const longestStatusLine = 64;
