import {
  payloadTypes,
  type SignalRequest,
  signalRequestSchema,
  splitIntoSections,
} from 'game-lift-streams-local/web-sdk-offer';
import { z } from 'zod';
import { sample } from './contracts.ts';

export function parseSignalRequest(text: string): SignalRequest {
  return signalRequestSchema.parse(JSON.parse(text));
}

/** The offer of the request sample. */
export function committedOffer(): SignalRequest {
  const request = sample('create-stream-session-connection.request.json');
  return parseSignalRequest(z.object({ SignalRequest: z.string() }).parse(request).SignalRequest);
}

/**
 * What stays the same from one offer to the next, and from one browser version to the next: credentials,
 * session ids, payload numbers and the set of further codecs do not.
 */
export function shapeOf({ sdp, ...members }: SignalRequest) {
  const [session = [], ...media] = splitIntoSections(sdp);
  return {
    ...members,
    lineEnd: sdp.includes('\r') ? 'CRLF' : 'LF',
    bundle: session.filter((line) => line.startsWith('a=group:BUNDLE')),
    media: media.map((lines) => {
      const [, kind, port, protocol] = /^m=(\w+) (\d+) (\S+)/.exec(lines[0] ?? '') ?? [];
      return {
        kind,
        port,
        protocol,
        mid: lines.filter((line) => line.startsWith('a=mid:')),
        direction: lines.filter((line) => /^a=(sendrecv|sendonly|recvonly|inactive)$/.test(line)),
        bandwidth: lines.filter((line) => line.startsWith('b=')),
        setup: lines.filter((line) => line.startsWith('a=setup:')),
        secured: ['a=ice-ufrag:', 'a=ice-pwd:', 'a=fingerprint:sha-256 '].filter((start) =>
          lines.some((line) => line.startsWith(start)),
        ),
        neededCodecs: ['opus', 'h264'].filter((codec) => payloadTypes(lines, codec).length > 0),
      };
    }),
  };
}

/** Every address and mDNS name in an SDP, candidates included. */
export function addressesOf(sdp: string): string[] {
  const found = sdp.matchAll(/\bIN IP[46] (\S+)|^a=candidate:.*|\S+\.local\b/gm);
  return [...new Set([...found].map(([whole, address]) => address ?? whole))].sort();
}
