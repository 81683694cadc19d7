import { NO_CERTIFICATE } from 'game-lift-streams-local';

let offers = 0;

/** An offer as the Web SDK makes it, cut to what the API asks of one. */
export function newOffer(): string {
  return offerOf(`offer-${++offers}`);
}

/** The offer of whoever has this name: letters, digits and hyphens. */
export function offerOf(name: string): string {
  const sdp = [
    'v=0',
    'o=- 1 2 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
    'c=IN IP4 0.0.0.0',
    `a=ice-ufrag:${name}`,
    `a=ice-pwd:password-of-${name}`,
    NO_CERTIFICATE,
    'a=setup:actpass',
    'a=mid:0',
    'a=sctp-port:5000',
  ];
  return JSON.stringify({ type: 'offer', sdp: `${sdp.join('\r\n')}\r\n`, webSdkVersion: '1.2.0' });
}

/** An offer of exactly so many bytes of UTF-8. */
export function offerOfBytes(bytes: number, filler = 'a'): string {
  const named = (sessionName: string) =>
    JSON.stringify({
      type: 'offer',
      sdp: `v=0\ns=${sessionName}\nm=audio 9 RTP 0\na=ice-ufrag:user\n${NO_CERTIFICATE}\n`,
    });
  const missing = bytes - Buffer.byteLength(named(''), 'utf8');
  const width = Buffer.byteLength(filler, 'utf8');
  return named(`${filler.repeat(Math.floor(missing / width))}${'a'.repeat(missing % width)}`);
}

export const VALID_CLIENT_TOKEN = '0d6e4079-e367-4d15-b5c4-5f8f1e0c7a3b';
