/** Lets a real browser make a WebRTC offer as the GameLift Streams Web SDK has it made. */
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';
import { rewriteAsWebSdk, signalRequestText } from './web-sdk-offer.ts';

const DEFAULT_CHROMIUM_PATH = '/usr/bin/chromium';

/** Nothing here needs the network, so everything in Chromium that looks for it by itself is off. */
const CHROMIUM_ARGUMENTS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const LAUNCH_TIMEOUT_MS = 30_000;

/** The parts of the browser's RTCPeerConnection that are used here; this project compiles without DOM types. */
interface PeerConnection {
  createDataChannel(label: string, options: { ordered: boolean; maxRetransmits?: number }): unknown;
  addTransceiver(kind: 'audio' | 'video', init: { direction: 'recvonly' }): unknown;
  createOffer(): Promise<{ sdp?: string }>;
  setLocalDescription(description: { type: 'offer'; sdp: string }): Promise<void>;
  close(): void;
}
declare const RTCPeerConnection: new (configuration: { iceServers: [] }) => PeerConnection;

export class ChromiumMissingError extends Error {
  override readonly name = 'ChromiumMissingError';
  constructor(path: string) {
    super(`No Chromium at ${path}. Install it (Debian: apt-get install chromium) or set CHROMIUM_PATH`);
  }
}

export class OfferMissingError extends Error {
  override readonly name = 'OfferMissingError';
  constructor() {
    super('The browser made an offer without SDP');
  }
}

/**
 * The Chromium of this machine: CHROMIUM_PATH, else Debian's.
 *
 * @throws ChromiumMissingError when there is no such file.
 */
export function chromiumPath(environment: NodeJS.ProcessEnv): string {
  const path = environment['CHROMIUM_PATH'] || DEFAULT_CHROMIUM_PATH;
  if (!existsSync(path)) throw new ChromiumMissingError(path);
  return path;
}

export interface BrowserOffer {
  /** The text of a SignalRequest, as `generateSignalRequest` of the Web SDK resolves to it. */
  readonly signalRequest: string;
  /** Such as "156.0.8078.79". */
  readonly browserVersion: string;
}

/**
 * Starts the browser with a profile of its own, which is deleted afterwards, and has it make an offer: audio
 * and video to receive, two data channels, and no candidates, since the SDK does not wait for any.
 *
 * @throws H264MissingError, OfferMissingError, or playwright's errors when the browser does not start.
 */
export async function captureBrowserOffer(executablePath: string): Promise<BrowserOffer> {
  const browser = await chromium.launch({
    executablePath,
    args: CHROMIUM_ARGUMENTS,
    timeout: LAUNCH_TIMEOUT_MS,
  });
  try {
    const page = await browser.newPage();
    await page.goto('about:blank');
    const peer = await page.evaluateHandle(() => {
      const connection = new RTCPeerConnection({ iceServers: [] });
      // Names and options of the channels are not part of an offer; that there is one is.
      connection.createDataChannel('inputChannel', { ordered: false, maxRetransmits: 0 });
      connection.createDataChannel('clientMessageChannel', { ordered: true });
      // The SDK says the same through createOffer's legacy offerToReceiveAudio and offerToReceiveVideo.
      connection.addTransceiver('audio', { direction: 'recvonly' });
      connection.addTransceiver('video', { direction: 'recvonly' });
      return connection;
    });
    const browserSdp = await peer.evaluate(async (connection) => (await connection.createOffer()).sdp);
    if (!browserSdp) throw new OfferMissingError();
    const sdp = rewriteAsWebSdk(browserSdp);
    // The browser itself says whether the rewritten offer is one that it stands by.
    await peer.evaluate((connection, sdp) => connection.setLocalDescription({ type: 'offer', sdp }), sdp);
    await peer.evaluate((connection) => connection.close());
    return { signalRequest: signalRequestText(sdp), browserVersion: browser.version() };
  } finally {
    await browser.close();
  }
}
