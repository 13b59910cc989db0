import { defaultWindowBytes, H2Error, maxFrameBytes, maxWindowBytes, Setting } from './constants.ts';

const largestFrameBytes = 16_777_215;

/** What the peer's SETTINGS say (RFC 9113 §6.5.2); the initial values until then. Plain data: it moves with a connection. */
export interface PeerSettings {
  headerTableBytes: number;
  maxConcurrentStreams: number;
  initialWindowBytes: number;
  /** What is sent in one frame: the peer's limit, and no more than 16 KiB, so that streams take turns. */
  maxFrameBytes: number;
  extendedConnect: boolean;
  /** A SETTINGS frame has come. */
  isKnown: boolean;
}

export function initialSettings(): PeerSettings {
  return {
    headerTableBytes: 4096,
    maxConcurrentStreams: Number.POSITIVE_INFINITY,
    initialWindowBytes: defaultWindowBytes,
    maxFrameBytes,
    extendedConnect: false,
    isKnown: false,
  };
}

/**
 * Takes over the payload of a SETTINGS frame; unknown settings are ignored.
 * @param isServer the peer is a server: it may not enable push (§6.5.2)
 * @returns 0 or the error that ends the connection
 */
export function applySettings(
  settings: PeerSettings,
  buf: Buffer,
  start: number,
  end: number,
  isServer: boolean,
): number {
  settings.isKnown = true;
  for (let at = start; at < end; at += 6) {
    const id = ((buf[at] as number) << 8) | (buf[at + 1] as number);
    const value = buf.readUInt32BE(at + 2);
    const error = applySetting(settings, id, value, isServer);
    if (error !== 0) return error;
  }
  return 0;
}

function applySetting(settings: PeerSettings, id: number, value: number, isServer: boolean): number {
  switch (id) {
    case Setting.headerTableSize:
      settings.headerTableBytes = value;
      return 0;
    case Setting.enablePush:
      return value > 1 || (isServer && value === 1) ? H2Error.protocol : 0;
    case Setting.maxConcurrentStreams:
      settings.maxConcurrentStreams = value;
      return 0;
    case Setting.initialWindowSize:
      if (value > maxWindowBytes) return H2Error.flowControl;
      settings.initialWindowBytes = value;
      return 0;
    case Setting.maxFrameSize:
      return value < maxFrameBytes || value > largestFrameBytes ? H2Error.protocol : 0;
    case Setting.noPriorities:
      return value > 1 ? H2Error.protocol : 0;
    case Setting.enableConnectProtocol:
      // RFC 8441 §3: once given it is not taken back.
      if (value > 1 || (settings.extendedConnect && value === 0)) return H2Error.protocol;
      settings.extendedConnect = value === 1;
      return 0;
    default:
      return 0;
  }
}
