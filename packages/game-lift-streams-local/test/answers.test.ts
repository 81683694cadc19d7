import { seededRandom } from 'local-server-kit';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { anOffer } from '../src/index.ts';
import { answerTo } from '../src/sessions/answers.ts';

const answerSchema = z.strictObject({
  type: z.literal('answer'),
  sdp: z.string(),
  webSdkProtocolUrl: z.string().regex(/^https:\/\/\w+\.cloudfront\.net\/[0-9a-f]{64}\.js$/),
});

function answer(offer: string, serial = 1, random = seededRandom()) {
  const result = answerTo(offer, serial, random);
  if (result.kind !== 'answer') throw new Error(`There is no answer: ${result.kind}`);
  return answerSchema.parse(JSON.parse(result.signalResponse));
}

const lines = (sdp: string, start: string) => sdp.split('\r\n').filter((line) => line.startsWith(start));

describe('an answer', () => {
  it("has each of the offer's m-lines, in order, with one of its formats and the other direction", () => {
    // Act
    const { sdp } = answer(anOffer());

    // Assess
    expect(lines(sdp, 'm=')).toEqual([
      'm=audio 9 UDP/TLS/RTP/SAVPF 111',
      'm=video 9 UDP/TLS/RTP/SAVPF 102',
      'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
    ]);
    expect(lines(sdp, 'a=mid:')).toEqual(['a=mid:0', 'a=mid:1', 'a=mid:2']);
    expect(lines(sdp, 'a=group:')).toEqual(['a=group:BUNDLE 0 1 2']);
    expect(lines(sdp, 'a=sendonly')).toHaveLength(2);
    expect(lines(sdp, 'a=rtpmap:')).toEqual(['a=rtpmap:111 opus/48000/2', 'a=rtpmap:102 H264/90000']);
    expect(lines(sdp, 'a=fmtp:')).toEqual(['a=fmtp:102 packetization-mode=1']);
    expect(lines(sdp, 'a=setup:')).toEqual(Array(3).fill('a=setup:passive'));
    expect(sdp).toMatch(/^v=0\r\no=- \d+ 1 IN IP4 127\.0\.0\.1\r\n/);
    expect(sdp.endsWith('\r\n')).toBe(true);
  });

  it('has ICE credentials, a fingerprint and a candidate on a port of the service', () => {
    // Act
    const { sdp } = answer(anOffer());

    // Assess
    expect(sdp).toMatch(/a=ice-ufrag:\w{8}\r\n/);
    expect(sdp).toMatch(/a=ice-pwd:\w{24}\r\n/);
    expect(sdp).toMatch(/a=fingerprint:sha-256 (?:[0-9A-F]{2}:){31}[0-9A-F]{2}\r\n/);
    const port = Number(/ udp \d+ 203\.0\.113\.\d+ (\d+) typ host/.exec(sdp)?.[1]);
    expect(port).toBeGreaterThanOrEqual(33_435);
    expect(port).toBeLessThanOrEqual(33_465);
  });

  it('is fresh for each connection: user, password and fingerprint', () => {
    // Prepare
    const random = seededRandom();
    const offer = anOffer();

    // Act
    const secrets = [1, 2].map((serial) => {
      const { sdp } = answer(offer, serial, random);
      return ['a=ice-ufrag:', 'a=ice-pwd:', 'a=fingerprint:'].map((start) => lines(sdp, start)[0]);
    });

    // Assess
    expect(new Set(secrets.flat()).size).toBe(6);
  });

  it('is unique even when the randomness repeats itself', () => {
    // Prepare
    const offer = anOffer();
    const stuck = () => 0.5;

    // Act
    const sdps = [answer(offer, 1, stuck).sdp, answer(offer, 2, stuck).sdp];

    // Assess
    expect(sdps[0]).not.toBe(sdps[1]);
  });

  it("takes the offer's first format when it has neither H.264 nor Opus", () => {
    // Prepare
    const sdp = [
      'v=0',
      'm=video 9 UDP/TLS/RTP/SAVPF 96 97',
      'a=rtpmap:96 VP8/90000',
      'a=rtpmap:97 VP9/90000',
      'm=audio 9 UDP/TLS/RTP/SAVPF 0',
      'a=inactive',
    ].join('\n');

    // Act
    const result = answer(JSON.stringify({ type: 'offer', sdp })).sdp;

    // Assess
    expect(lines(result, 'm=')).toEqual(['m=video 9 UDP/TLS/RTP/SAVPF 96', 'm=audio 9 UDP/TLS/RTP/SAVPF 0']);
    expect(lines(result, 'a=rtpmap:')).toEqual(['a=rtpmap:96 VP8/90000']);
    expect(lines(result, 'a=sendrecv')).toHaveLength(1);
    expect(lines(result, 'a=inactive')).toHaveLength(1);
  });

  it('gives up the m-lines that the offer has given up, and stands any format', () => {
    // Prepare
    const sdp = [
      'v=0',
      'm=audio 0 UDP/TLS/RTP/SAVPF 111',
      'a=mid:0',
      'm=video 9 UDP/TLS/RTP/SAVPF (',
      'm=',
    ].join('\n');

    // Act
    const result = answer(JSON.stringify({ type: 'offer', sdp })).sdp;

    // Assess
    expect(lines(result, 'm=').slice(0, 2)).toEqual([
      'm=audio 0 UDP/TLS/RTP/SAVPF 111',
      'm=video 9 UDP/TLS/RTP/SAVPF (',
    ]);
    expect(lines(result, 'a=ice-ufrag:')).toHaveLength(2);
  });

  it.each([
    ['text', 'hello'],
    ['an answer', JSON.stringify({ type: 'answer', sdp: 'v=0' })],
    ['an offer without SDP', JSON.stringify({ type: 'offer' })],
    ['an offer with something else than SDP', JSON.stringify({ type: 'offer', sdp: 'hello' })],
    ['a list', '[]'],
  ])('is not given to %s', (_, signalRequest) => {
    // Act
    const result = answerTo(signalRequest, 1, seededRandom());

    // Assess
    expect(result).toEqual({ kind: 'invalidSignalRequest' });
  });
});
