import { z } from 'zod';
import { type Random, randomAlphanumeric, randomBytes } from './randomness.ts';

/** What StartStreamSession takes in place of an offer, to start without a client. */
export const NO_CLIENT_CONNECTION = 'NO_CLIENT_CONNECTION';

/** The script that the Web SDK loads with an answer. Nothing is served there. */
export const WEB_SDK_PROTOCOL_URL =
  'https://dlocalstandin00.cloudfront.net/4f1d2a3c5b6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708.js';

export type Answer =
  | { readonly kind: 'answer'; readonly signalResponse: string }
  | { readonly kind: 'noClient' }
  | { readonly kind: 'invalidSignalRequest' };

/** What the Web SDK's generateSignalRequest makes; the other members do not matter for an answer. */
const offerSchema = z.object({ type: z.literal('offer'), sdp: z.string().startsWith('v=0') });

/**
 * Answers an offer as a stream server does: a fresh ICE user and password, a fresh DTLS fingerprint, and for
 * each of the offer's m-lines one of its formats.
 *
 * @param serial makes the answer unique even when `random` repeats itself
 */
export function answerTo(signalRequest: string, serial: number, random: Random): Answer {
  if (signalRequest === NO_CLIENT_CONNECTION) return { kind: 'noClient' };
  const offer = offerSchema.safeParse(parseJson(signalRequest));
  if (!offer.success) return { kind: 'invalidSignalRequest' };
  const sdp = answerSdp(offer.data.sdp, serial, random);
  const signalResponse = JSON.stringify({ type: 'answer', sdp, webSdkProtocolUrl: WEB_SDK_PROTOCOL_URL });
  return { kind: 'answer', signalResponse };
}

/** The fingerprint in a simulated player's offer: all zeros, which no certificate has. */
export const NO_CERTIFICATE = `a=fingerprint:sha-256 ${Array(32).fill('00').join(':')}`;

/**
 * Returns the offer in a signal request when a client could be behind it: a browser's has the fingerprint of its DTLS
 * certificate. A simulated player's has none, or `NO_CERTIFICATE`.
 */
export function browserOffer(signalRequest: string): { readonly sdp: string } | undefined {
  const offer = offerSchema.safeParse(parseJson(signalRequest));
  if (!offer.success) return undefined;
  const { sdp } = offer.data;
  return sdp.includes('a=fingerprint:') && !sdp.includes(NO_CERTIFICATE) ? { sdp } : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function answerSdp(offerSdp: string, serial: number, random: Random): string {
  const [session = [], ...media] = sections(offerSdp);
  const transport = transportLines(random);
  const bundle = session.find((line) => line.startsWith('a=group:BUNDLE'));
  const lines = [
    'v=0',
    `o=- ${randomBytes(random, 6).readUIntBE(0, 6)} ${serial} IN IP4 127.0.0.1`,
    's=-',
    't=0 0',
    ...(bundle === undefined ? [] : [bundle]),
    ...media.flatMap((section) => answerMedia(section, transport)),
  ];
  return `${lines.join('\r\n')}\r\n`;
}

/** The session's lines, then the lines of each m-line. */
function sections(sdp: string): string[][] {
  const result: string[][] = [[]];
  for (const line of sdp.split(/\r?\n/)) {
    if (line.startsWith('m=')) result.push([]);
    if (line !== '') result.at(-1)?.push(line);
  }
  return result;
}

function transportLines(random: Random): string[] {
  const fingerprint = randomBytes(random, 32).toString('hex').toUpperCase().match(/../g)?.join(':');
  // 203.0.113.0/24 is for documentation: nobody is there. The ports are the service's (UDP 33435 to 33465).
  const port = 33_435 + Math.floor(random() * 31);
  return [
    `a=ice-ufrag:${randomAlphanumeric(random, 8)}`,
    `a=ice-pwd:${randomAlphanumeric(random, 24)}`,
    `a=fingerprint:sha-256 ${fingerprint}`,
    'a=setup:passive',
    `a=candidate:1 1 udp 2130706431 203.0.113.${1 + Math.floor(random() * 254)} ${port} typ host`,
    'a=end-of-candidates',
  ];
}

function answerMedia(section: readonly string[], transport: readonly string[]): string[] {
  const [mLine = '', ...attributes] = section;
  const [kind = '', port, protocol, ...formats] = mLine.slice(2).split(' ');
  const format = chooseFormat(kind, formats, attributes);
  const mid = attributes.filter((line) => line.startsWith('a=mid:'));
  const head = (answeredPort: number) => [
    `m=${kind} ${answeredPort} ${protocol} ${format}`,
    'c=IN IP4 0.0.0.0',
  ];
  // Port 0 is an m-line that the offer has given up; port 9 stands for "see the candidates".
  if (port === '0') return [...head(0), ...mid];
  if (kind === 'application') {
    const sctpPort = attributes.find((line) => line.startsWith('a=sctp-port:')) ?? 'a=sctp-port:5000';
    return [...head(9), ...transport, ...mid, sctpPort];
  }
  const formatPrefixes = ['rtpmap', 'fmtp', 'rtcp-fb'].map((name) => `a=${name}:${format} `);
  const formatLines = attributes.filter((line) => formatPrefixes.some((prefix) => line.startsWith(prefix)));
  return [...head(9), ...transport, ...mid, direction(attributes), 'a=rtcp-mux', ...formatLines];
}

/** Video is H.264 and sound is Opus where the offer has them; else the offer's first format. */
function chooseFormat(kind: string, formats: readonly string[], attributes: readonly string[]): string {
  const codec = kind === 'video' ? 'H264' : 'opus';
  const wanted = attributes
    .map((line) => /^a=rtpmap:(\d+) ([^/]+)\//.exec(line))
    .find((match) => match?.[2]?.toLowerCase() === codec.toLowerCase());
  const found = wanted?.[1];
  return found !== undefined && formats.includes(found) ? found : (formats[0] ?? '0');
}

const REVERSED: Readonly<Record<string, string>> = {
  'a=recvonly': 'a=sendonly',
  'a=sendonly': 'a=recvonly',
  'a=inactive': 'a=inactive',
};

function direction(attributes: readonly string[]): string {
  for (const line of attributes) {
    const reversed = REVERSED[line];
    if (reversed !== undefined) return reversed;
  }
  return 'a=sendrecv';
}
