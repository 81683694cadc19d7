/** An address that is this machine and no other. */
const LOOPBACK = /^(127\.\d+\.\d+\.\d+|::1)$/;

/**
 * Leaves the loopback candidates in an answer and takes out the rest, also from the lines that name the default
 * one. A client on another machine is given no address.
 */
export function answerForThisMachine(sdp: string): string {
  return sdp
    .split('\r\n')
    .filter((line) => !line.startsWith('a=candidate:') || isLoopbackUdp(line))
    .map((line) => (line.startsWith('c=IN ') ? 'c=IN IP4 0.0.0.0' : line))
    .map((line) => line.replace(/^(m=\w+) [1-9]\d* /, '$1 9 '))
    .join('\r\n');
}

/** `a=candidate:<foundation> <component> <transport> <priority> <address> <port> typ …` (RFC 8839, 5.1) */
function isLoopbackUdp(line: string): boolean {
  const [, , transport, , address = ''] = line.split(' ');
  return transport?.toLowerCase() === 'udp' && LOOPBACK.test(address);
}
