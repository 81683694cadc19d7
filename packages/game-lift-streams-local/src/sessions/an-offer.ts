import { NO_CERTIFICATE } from './answers.ts';

let offers = 0;

/** An offer as the Web SDK generates it, each with its own ICE user. */
export function anOffer(): string {
  const sdp = [
    'v=0',
    `o=- ${++offers} 2 IN IP4 127.0.0.1`,
    's=-',
    't=0 0',
    'a=group:BUNDLE 0 1 2',
    'm=audio 9 UDP/TLS/RTP/SAVPF 111 0',
    'c=IN IP4 0.0.0.0',
    `a=ice-ufrag:offer${offers}`,
    NO_CERTIFICATE,
    'a=mid:0',
    'a=recvonly',
    'a=rtpmap:0 PCMU/8000',
    'a=rtpmap:111 opus/48000/2',
    'm=video 9 UDP/TLS/RTP/SAVPF 96 102',
    'c=IN IP4 0.0.0.0',
    'a=mid:1',
    'a=recvonly',
    'a=rtpmap:96 VP8/90000',
    'a=rtpmap:102 H264/90000',
    'a=fmtp:102 packetization-mode=1',
    'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
    'c=IN IP4 0.0.0.0',
    'a=mid:2',
    'a=sctp-port:5000',
  ];
  return JSON.stringify({ type: 'offer', sdp: `${sdp.join('\r\n')}\r\n`, webSdkVersion: '1.2.0' });
}
