import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import { type LoopbackReply, type LoopbackRequest, startLoopbackServer } from 'local-server-kit';
import { onTestFinished } from 'vitest';

export const SIGNER = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'the-secret-of-the-signer' };
export const REGION = 'us-west-2';

/**
 * A deployed API as far as signatures go: it takes what SIGNER has signed for execute-api in REGION, and refuses
 * everything else as API Gateway does. What it has taken is in `accepted`.
 *
 * @param answer the reply to an accepted request.
 */
export async function startSignatureVerifier(
  answer: (request: LoopbackRequest) => LoopbackReply | Promise<LoopbackReply>,
) {
  const accepted: LoopbackRequest[] = [];
  const refusals: string[] = [];
  const server = await startLoopbackServer({
    port: 0,
    maxBodyBytes: 100_000,
    handle: async (request) => {
      const refusal = await refusalOf(request);
      if (refusal === undefined) {
        accepted.push(request);
        return answer(request);
      }
      refusals.push(refusal);
      return {
        status: 403,
        headers: { 'content-type': 'application/json', 'x-amzn-errortype': 'InvalidSignatureException' },
        body: JSON.stringify({ message: refusal }),
      };
    },
  });
  onTestFinished(() => server.close());
  return { url: server.url, accepted, refusals };
}

async function refusalOf({ method, target, headers, body }: LoopbackRequest): Promise<string | undefined> {
  const authorization = headers.authorization ?? '';
  const [, credential = '', signedHeaders = '', signature = ''] =
    /^AWS4-HMAC-SHA256 Credential=([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(
      authorization,
    ) ?? [];
  const [accessKeyId, day, region, service, end] = credential.split('/');
  if (accessKeyId !== SIGNER.accessKeyId || end !== 'aws4_request') return 'Missing Authentication Token';
  if (service !== 'execute-api') return "Credential should be scoped to correct service: 'execute-api'.";
  if (region !== REGION) return 'Credential should be scoped to a valid region.';
  const names = signedHeaders.split(';');
  const date = signingDate(String(headers['x-amz-date'] ?? ''));
  if (date === undefined || date.toISOString().slice(0, 10).replaceAll('-', '') !== day) return 'Bad date.';
  if (Math.abs(date.getTime() - Date.now()) > 300_000) return 'Signature expired';
  if (!names.includes('host') || !names.includes('x-amz-date')) return 'host and x-amz-date must be signed.';
  const hash = headers['x-amz-content-sha256'];
  if (hash !== undefined && hash !== createHash('sha256').update(body).digest('hex'))
    return 'The hash is not of the body.';
  const signer = new SignatureV4({
    credentials: SIGNER,
    region: REGION,
    service: 'execute-api',
    sha256: Sha256,
    applyChecksum: false,
  });
  const [path = '', query = ''] = target.split('?');
  const resigned = await signer.sign(
    {
      method,
      protocol: 'http:',
      hostname: '127.0.0.1',
      path,
      query: Object.fromEntries(new URLSearchParams(query)),
      headers: Object.fromEntries(names.map((name) => [name, String(headers[name] ?? '')])),
      body,
    },
    { signingDate: date, signableHeaders: new Set(names) },
  );
  const expected = /Signature=([0-9a-f]{64})$/.exec(String(resigned.headers['authorization']))?.[1] ?? '';
  return timingSafeEqual(Buffer.from(expected), Buffer.from(signature))
    ? undefined
    : 'The request signature we calculated does not match the signature you provided.';
}

/** `20261121T081500Z` */
function signingDate(text: string): Date | undefined {
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text)?.slice(1);
  if (parts === undefined) return undefined;
  const [year, month, day, hour, minute, second] = parts;
  return new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}

/** What the signer takes as a hash: Node's own. */
class Sha256 {
  readonly #hash;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', bytesOf(secret));
  }

  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(bytesOf(data));
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }

  reset(): void {
    throw new Error('A hash is used once.');
  }
}

function bytesOf(data: string | ArrayBuffer | ArrayBufferView): Buffer {
  if (typeof data === 'string') return Buffer.from(data);
  return ArrayBuffer.isView(data)
    ? Buffer.from(data.buffer, data.byteOffset, data.byteLength)
    : Buffer.from(data);
}
