/**
 * What the GameLift Streams Web SDK makes of a browser's offer before a backend sees it, as read in version
 * 1.2.0. Its own file cannot be installed from npm, and its rewriting is why an offer that comes from the SDK
 * differs from one that comes straight from a browser.
 */
import { z } from 'zod';

export const WEB_SDK_VERSION = '1.2.0';

/** The H.264 bit rates that the SDK asks for, in kbit/s. */
const H264_MAX_KBPS = 19_000;
const H264_START_KBPS = 10_000;

export class H264MissingError extends Error {
  override readonly name = 'H264MissingError';
  constructor() {
    super('The browser offers no H.264 video over WebRTC, without which the Web SDK makes no offer');
  }
}

/** The text of a SignalRequest, parsed: what `generateSignalRequest` of the Web SDK puts into JSON. */
export const signalRequestSchema = z.strictObject({
  type: z.literal('offer'),
  sdp: z.string().min(1),
  webSdkVersion: z.string(),
  extras: z.strictObject({
    features: z.array(z.strictObject({ name: z.string(), value: z.string() })),
  }),
});
export type SignalRequest = z.infer<typeof signalRequestSchema>;

/** The text that `generateSignalRequest` resolves to for an SDP that is already rewritten. */
export function signalRequestText(sdp: string): string {
  const signalRequest: SignalRequest = {
    type: 'offer',
    sdp,
    webSdkVersion: WEB_SDK_VERSION,
    extras: { features: [{ name: 'WEBRTC_SPLIT_MEDIA_STREAMS', value: 'enabled' }] },
  };
  return JSON.stringify(signalRequest);
}

/**
 * Rewrites a browser's SDP as the Web SDK does: stereo Opus, H.264 at up to 19 Mbit/s, and lines that end
 * with LF alone. Rewriting twice is the same as once; the SDK does it twice.
 *
 * @throws H264MissingError when no video section offers H.264.
 */
export function rewriteAsWebSdk(sdp: string): string {
  const sections = splitIntoSections(sdp);
  let offersH264 = false;
  const rewritten = sections.map((lines) => {
    if (lines[0]?.startsWith('m=audio ')) return withFormatParameters(lines, 'opus', { stereo: 1 });
    const offersIt = lines[0]?.startsWith('m=video ') && payloadTypes(lines, 'h264').length > 0;
    if (!offersIt) return lines;
    offersH264 = true;
    const video = withFormatParameters(lines, 'h264', {
      'x-google-max-bitrate': H264_MAX_KBPS,
      'x-google-start-bitrate': H264_START_KBPS,
    });
    return [
      ...video.filter((line) => !line.startsWith('b=')),
      `b=TIAS:${H264_MAX_KBPS * 1000}`,
      `b=AS:${H264_MAX_KBPS}`,
    ];
  });
  if (!offersH264) throw new H264MissingError();
  return `${rewritten.flat().join('\n')}\n`;
}

/** The session's lines, then those of each media section, without line ends. */
export function splitIntoSections(sdp: string): string[][] {
  const sections: string[][] = [[]];
  for (const line of sdp.split(/[\r\n]+/).filter((line) => line !== '')) {
    if (line.startsWith('m=')) sections.push([line]);
    else sections.at(-1)?.push(line);
  }
  return sections;
}

/** The payload types under which a section offers `codec` (lower case). */
export function payloadTypes(lines: readonly string[], codec: string): string[] {
  return lines.flatMap((line) => {
    const [, payloadType, name] = /^a=rtpmap:(\d+) ([^/]+)/.exec(line) ?? [];
    return payloadType !== undefined && name?.toLowerCase() === codec ? [payloadType] : [];
  });
}

/** Sets parameters in the `a=fmtp` line of each of a codec's formats, or adds one at the section's end. */
function withFormatParameters(
  lines: readonly string[],
  codec: string,
  parameters: Readonly<Record<string, number>>,
): string[] {
  const set = Object.entries(parameters).map(([name, value]) => `${name}=${value}`);
  const rewritten = [...lines];
  for (const format of payloadTypes(lines, codec)) {
    const prefix = `a=fmtp:${format} `;
    const index = rewritten.findIndex((line) => line.startsWith(prefix));
    const present =
      rewritten[index]
        ?.slice(prefix.length)
        .split(';')
        .map((part) => part.trim()) ?? [];
    const kept = present.filter((parameter) => !Object.hasOwn(parameters, parameter.split('=', 1).join('')));
    const line = prefix + [...kept, ...set].join(';');
    if (index < 0) rewritten.push(line);
    else rewritten[index] = line;
  }
  return rewritten;
}
