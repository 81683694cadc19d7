import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { parseConnectionBody } from '../../../functions/request-connection/offer.ts';
import { InvalidRequestError } from '../../../functions/shared/api/replies.ts';
import { newOffer, offerOfBytes, VALID_CLIENT_TOKEN } from '../../../local/simulation/offers.ts';

const text = (members: Record<string, unknown>) => JSON.stringify(members);

/** What the body is refused with. */
function refusalOf(body: string): string {
  try {
    parseConnectionBody(body);
  } catch (error) {
    if (error instanceof InvalidRequestError) return error.message;
    throw error;
  }
  throw new Error('The body was taken.');
}

const OFFER_SDP = z.object({ sdp: z.string() }).parse(JSON.parse(newOffer())).sdp;

describe('a body of the contract', () => {
  it('is taken with an offer and a token, both as they are', () => {
    const SignalRequest = ` ${newOffer()}\n`;

    expect(parseConnectionBody(text({ SignalRequest, ClientToken: VALID_CLIENT_TOKEN }))).toEqual({
      signalRequest: SignalRequest,
      clientToken: VALID_CLIENT_TOKEN,
    });
  });

  it('is taken without a token', () => {
    const SignalRequest = newOffer();

    expect(parseConnectionBody(text({ SignalRequest }))).toEqual({
      signalRequest: SignalRequest,
      clientToken: undefined,
    });
  });

  it('is taken with a token that is null, as one without', () => {
    const body = text({ SignalRequest: newOffer(), ClientToken: null });

    expect(parseConnectionBody(body).clientToken).toBeUndefined();
  });

  it.each([
    ['CRLF', OFFER_SDP],
    ['LF', OFFER_SDP.replaceAll('\r', '')],
    ['attributes at session level', 'v=0\na=ice-ufrag:u\na=fingerprint:sha-256 00\nm=audio 9 RTP 0'],
  ])('may have an sdp with %s', (_, sdp) => {
    const signalRequest = JSON.stringify({ type: 'offer', sdp });

    expect(parseConnectionBody(text({ SignalRequest: signalRequest })).signalRequest).toBe(signalRequest);
  });

  it.each(['a', 'é', '漢', '😀'])('may have an offer of 65,536 bytes, and not one more: of %s', (filler) => {
    const largest = offerOfBytes(65_536, filler);
    expect(Buffer.byteLength(largest)).toBe(65_536);

    expect(parseConnectionBody(text({ SignalRequest: largest })).signalRequest).toBe(largest);
    expect(refusalOf(text({ SignalRequest: offerOfBytes(65_537, filler) }))).toMatch(
      /^SignalRequest must be .*65536 bytes/,
    );
  });

  it.each([32, 128])('may have a token of %i characters', (length) => {
    const ClientToken = '!~'.repeat(length / 2);

    expect(parseConnectionBody(text({ SignalRequest: newOffer(), ClientToken })).clientToken).toBe(
      ClientToken,
    );
  });
});

describe('a body that breaks a rule', () => {
  const SignalRequest = newOffer();
  const SHAPE = 'The body must be a JSON object with the member SignalRequest.';
  const MEMBERS = 'The body may have the members SignalRequest and ClientToken only.';
  const OFFER =
    'SignalRequest must be JSON text with type "offer" and a string sdp, as generateSignalRequest() makes it.';
  const SDP =
    'SignalRequest must have an sdp that begins with v=0 and has an m= line, a=ice-ufrag and a=fingerprint.';
  const sdp = (value: string) => text({ SignalRequest: JSON.stringify({ type: 'offer', sdp: value }) });
  const LENGTH = 'SignalRequest must be a string of 1 to 65536 bytes.';
  const TOKEN = 'ClientToken must be 32 to 128 visible ASCII characters.';

  it.each<[string, string, string]>([
    ['nothing', '', SHAPE],
    ['no JSON', '{SignalRequest', SHAPE],
    ['null', 'null', SHAPE],
    ['a list', '[]', SHAPE],
    ['text', '"SignalRequest"', SHAPE],
    ['a member too many', text({ SignalRequest, Identifier: 'sg-1' }), MEMBERS],
    ['its members in another case', text({ signalRequest: SignalRequest, SignalRequest }), MEMBERS],
    ['an own __proto__', `{"SignalRequest":${JSON.stringify(SignalRequest)},"__proto__":{"a":1}}`, MEMBERS],
    ['a constructor', text({ SignalRequest, constructor: 1 }), MEMBERS],
    ['no SignalRequest', '{}', LENGTH],
    ['a SignalRequest that is null', text({ SignalRequest: null }), LENGTH],
    ['a SignalRequest that is an object', text({ SignalRequest: { type: 'offer', sdp: 'v=0' } }), LENGTH],
    ['an empty SignalRequest', text({ SignalRequest: '' }), LENGTH],
    ['a SignalRequest that is no JSON', text({ SignalRequest: 'v=0' }), OFFER],
    ['NO_CLIENT_CONNECTION', text({ SignalRequest: 'NO_CLIENT_CONNECTION' }), OFFER],
    ['an answer', text({ SignalRequest: '{"type":"answer","sdp":"v=0"}' }), OFFER],
    ['an offer without an sdp', text({ SignalRequest: '{"type":"offer"}' }), OFFER],
    ['an offer with an empty sdp', text({ SignalRequest: '{"type":"offer","sdp":""}' }), OFFER],
    ['an offer whose sdp is no string', text({ SignalRequest: '{"type":"offer","sdp":["v=0"]}' }), OFFER],
    ['an offer that is a list', text({ SignalRequest: '[{"type":"offer","sdp":"v=0"}]' }), OFFER],
    ['an offer in a prototype', text({ SignalRequest: '{"__proto__":{"type":"offer","sdp":"v=0"}}' }), OFFER],
    ['an sdp that is a word', sdp('undefined'), SDP],
    ['an sdp that is a version alone', sdp('v=0'), SDP],
    ['an sdp of another version', sdp(OFFER_SDP.replace('v=0', 'v=01')), SDP],
    ['an sdp that begins with a blank', sdp(` ${OFFER_SDP}`), SDP],
    ['an sdp that begins with a byte order mark', sdp(`\ufeff${OFFER_SDP}`), SDP],
    ['an sdp without a media line', sdp(OFFER_SDP.replace('m=', 'x=')), SDP],
    ['an sdp with an empty media line', sdp(OFFER_SDP.replace(/m=.*/, 'm=')), SDP],
    ['an sdp without an ice-ufrag', sdp(OFFER_SDP.replace('a=ice-ufrag', 'a=ice-user')), SDP],
    ['an sdp with an empty ice-ufrag', sdp(OFFER_SDP.replace(/a=ice-ufrag:.*/, 'a=ice-ufrag:')), SDP],
    ['an sdp without a fingerprint', sdp(OFFER_SDP.replace('a=fingerprint', 'a=finger')), SDP],
    ['an sdp whose lines are named in another line', sdp('v=0\ns=m=1 a=ice-ufrag:1 a=fingerprint:1\n'), SDP],
    ['an sdp whose lines end in CR alone', sdp(OFFER_SDP.replaceAll('\n', '')), SDP],
    ['a token that is too short', text({ SignalRequest, ClientToken: 'a'.repeat(31) }), TOKEN],
    ['a token that is too long', text({ SignalRequest, ClientToken: 'a'.repeat(129) }), TOKEN],
    ['a token with a space', text({ SignalRequest, ClientToken: `${'a'.repeat(32)} ` }), TOKEN],
    ['a token with a line break', text({ SignalRequest, ClientToken: `${'a'.repeat(32)}\n` }), TOKEN],
    ['a token that is not ASCII', text({ SignalRequest, ClientToken: 'é'.repeat(32) }), TOKEN],
    ['a token that is a number', text({ SignalRequest, ClientToken: 7 }), TOKEN],
  ])('is refused by the name of the field: %s', (_, body, message) => {
    expect(refusalOf(body)).toBe(message);
  });
});

describe('whatever comes as a body', () => {
  const SECRET = 'a=ice-pwd:SECRET';
  const secretOffer = JSON.stringify({ type: 'offer', sdp: `${OFFER_SDP}${SECRET}\r\n` });
  const jsonWithSecrets = fc.object({
    key: fc.oneof(
      fc.constantFrom('SignalRequest', 'ClientToken', 'type', 'sdp', '__proto__', 'constructor', SECRET),
      fc.string(),
    ),
    values: [
      fc.constantFrom<unknown>(
        SECRET,
        'offer',
        VALID_CLIENT_TOKEN,
        null,
        7,
        `{"type":"offer","sdp":"${SECRET}"}`,
        secretOffer,
      ),
      fc.constant(JSON.stringify({ type: 'answer', sdp: SECRET })),
      fc.jsonValue(),
    ],
    maxDepth: 2,
  });
  const signalRequest = fc.oneof(
    fc.constant(secretOffer),
    fc.constant(JSON.stringify({ type: 'offer', sdp: SECRET })),
    jsonWithSecrets.map((json) => JSON.stringify(json)),
    fc.string().map((noise) => `${noise}${SECRET}`),
  );
  const body = fc.oneof(
    fc
      .record(
        {
          SignalRequest: signalRequest,
          ClientToken: fc.oneof(fc.constant(VALID_CLIENT_TOKEN), fc.string(), fc.constant(SECRET)),
          [SECRET]: fc.constant(SECRET),
        },
        { requiredKeys: [] },
      )
      .map((members) => JSON.stringify(members)),
    jsonWithSecrets.map((json) => JSON.stringify(json)),
    fc.string().map((noise) => `${SECRET}${noise}`),
  );

  it('is taken, or refused without being quoted: there is no third way', () => {
    let taken = 0;
    fc.assert(
      fc.property(body, (anyBody) => {
        try {
          const { signalRequest: offer } = parseConnectionBody(anyBody);
          taken++;
          expect(JSON.parse(offer)).toMatchObject({ type: 'offer', sdp: expect.any(String) });
        } catch (error) {
          if (!(error instanceof InvalidRequestError)) throw error;
          expect(error.message).not.toContain('SECRET');
          expect(error.message).toMatch(/^(The body|SignalRequest|ClientToken) m/);
          expect(error.cause).toBeUndefined();
        }
      }),
      { numRuns: 1000 },
    );
    expect(taken).toBeGreaterThan(0);
  });

  it('is read to the end however deep it is', () => {
    const deep = `${'['.repeat(30_000)}${']'.repeat(30_000)}`;

    expect(refusalOf(deep)).toMatch(/^The body must/);
    expect(refusalOf(text({ SignalRequest: deep }))).toMatch(/^SignalRequest must/);
    expect(
      parseConnectionBody(text({ SignalRequest: `{"extras":${deep},${newOffer().slice(1)}` })).clientToken,
    ).toBeUndefined();
  });
});
