let offers = 0;

/** An offer as the Web SDK makes it, cut to what tells one from another. */
export function newOffer(): string {
  const sdp = `v=0\r\no=- ${++offers} 2 IN IP4 127.0.0.1\r\na=ice-pwd:password-of-offer-${offers}\r\n`;
  return JSON.stringify({ type: 'offer', sdp, webSdkVersion: '1.2.0', extras: { features: [] } });
}

/** An offer of exactly so many bytes of UTF-8. */
export function offerOfBytes(bytes: number, filler = 'a'): string {
  const empty = JSON.stringify({ type: 'offer', sdp: 'v=0 ' });
  const missing = bytes - Buffer.byteLength(empty, 'utf8');
  const width = Buffer.byteLength(filler, 'utf8');
  const sdp = `v=0 ${filler.repeat(Math.floor(missing / width))}${'a'.repeat(missing % width)}`;
  return JSON.stringify({ type: 'offer', sdp });
}

export const VALID_CLIENT_TOKEN = '0d6e4079-e367-4d15-b5c4-5f8f1e0c7a3b';
