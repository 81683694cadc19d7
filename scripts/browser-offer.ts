/** Lets a real browser make a WebRTC offer as the GameLift Streams Web SDK has it made. */

import { rewriteAsWebSdk, signalRequestText } from 'game-lift-streams-local/web-sdk-offer';
import { launchChromium } from './chromium.ts';

/** The parts of the browser's RTCPeerConnection that are used here; this project compiles without DOM types. */
interface PeerConnection {
  createDataChannel(label: string, options: { ordered: boolean; maxRetransmits?: number }): unknown;
  addTransceiver(kind: 'audio' | 'video', init: { direction: 'recvonly' }): unknown;
  createOffer(): Promise<{ sdp?: string }>;
  setLocalDescription(description: { type: 'offer'; sdp: string }): Promise<void>;
  close(): void;
}
declare const RTCPeerConnection: new (configuration: { iceServers: [] }) => PeerConnection;

export class OfferMissingError extends Error {
  override readonly name = 'OfferMissingError';
  constructor() {
    super('The browser made an offer without SDP');
  }
}

export interface BrowserOffer {
  /** The text of a SignalRequest, as `generateSignalRequest` of the Web SDK resolves to it. */
  readonly signalRequest: string;
  /** Such as "156.0.8078.79". */
  readonly browserVersion: string;
}

/**
 * Starts the browser and has it make an offer: audio and video to receive, two data channels, and no candidates,
 * since the SDK does not wait for any.
 *
 * @throws H264MissingError, OfferMissingError, or playwright's errors when the browser does not start.
 */
export async function captureBrowserOffer(executablePath: string): Promise<BrowserOffer> {
  const browser = await launchChromium(executablePath);
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
