import { H264MissingError, rewriteAsWebSdk } from 'game-lift-streams-local/web-sdk-offer';
import { describe, expect, it } from 'vitest';
import { committedOffer } from './offer.ts';

/** An offer with CRLF, as browsers write it: one audio section, and one of video with `codec`. */
function browserSdp({ codec = 'H264', videoFormat = ['a=fmtp:96 packetization-mode=1'] } = {}): string {
  const lines = [
    'v=0',
    'm=audio 9 UDP/TLS/RTP/SAVPF 111',
    'a=rtpmap:111 opus/48000/2',
    'a=fmtp:111 minptime=10;useinbandfec=1',
    'm=video 9 UDP/TLS/RTP/SAVPF 96 97',
    'b=AS:500',
    `a=rtpmap:96 ${codec}/90000`,
    ...videoFormat,
    'a=rtpmap:97 rtx/90000',
    'a=fmtp:97 apt=96',
  ];
  return lines.map((line) => `${line}\r\n`).join('');
}

describe('an offer rewritten as the Web SDK does', () => {
  it('asks for stereo Opus and for H.264 at up to 19 Mbit/s, in lines that end with LF', () => {
    expect(rewriteAsWebSdk(browserSdp()).split('\n')).toEqual([
      'v=0',
      'm=audio 9 UDP/TLS/RTP/SAVPF 111',
      'a=rtpmap:111 opus/48000/2',
      'a=fmtp:111 minptime=10;useinbandfec=1;stereo=1',
      'm=video 9 UDP/TLS/RTP/SAVPF 96 97',
      'a=rtpmap:96 H264/90000',
      'a=fmtp:96 packetization-mode=1;x-google-max-bitrate=19000;x-google-start-bitrate=10000',
      'a=rtpmap:97 rtx/90000',
      'a=fmtp:97 apt=96',
      'b=TIAS:19000000',
      'b=AS:19000',
      '',
    ]);
  });

  it('gains a format line where the browser wrote none', () => {
    const lines = rewriteAsWebSdk(browserSdp({ videoFormat: [] })).split('\n');
    expect(lines).toContain('a=fmtp:96 x-google-max-bitrate=19000;x-google-start-bitrate=10000');
  });

  it('stays as it is when it is rewritten again', () => {
    const once = rewriteAsWebSdk(browserSdp());
    expect(rewriteAsWebSdk(once)).toBe(once);
    expect(rewriteAsWebSdk(committedOffer().sdp)).toBe(committedOffer().sdp);
  });

  it('is refused without H.264', () => {
    expect(() => rewriteAsWebSdk(browserSdp({ codec: 'VP8' }))).toThrow(H264MissingError);
  });
});
