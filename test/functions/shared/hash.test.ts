import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deterministicClientToken } from '../../../functions/request-connection/offer.ts';
import { sha256Hex } from '../../../functions/shared/runtime/text.ts';

const session = { streamGroupId: 'sg-1', streamSessionId: 'session' };

describe('a hash', () => {
  it('is SHA-256 of the UTF-8, as everybody computes it', () => {
    expect(sha256Hex('')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
    expect(sha256Hex('é')).toBe('4a99557e4033c3539de2eb65472017cad5f9557f7a0625a09f1c3f6e2ba69c4c');
  });
});

describe('a derived ClientToken', () => {
  it('stays what it is from one version of the code to the next: repeats may span a deployment', () => {
    expect(deterministicClientToken(session, 'offer')).toBe(sha256Hex('["sg-1","session","offer"]'));
  });

  it('is the same for the same request, and taken by the service', () => {
    fc.assert(
      fc.property(fc.string(), (offer) => {
        const token = deterministicClientToken(session, offer);
        expect(deterministicClientToken({ ...session }, offer)).toBe(token);
        expect(token).toMatch(/^[\x21-\x7E]{32,128}$/);
      }),
    );
  });

  it('differs by the session, the group and the offer, wherever one ends and the next begins', () => {
    const tokens = [
      deterministicClientToken(session, 'offer'),
      deterministicClientToken(session, 'offer2'),
      deterministicClientToken({ ...session, streamSessionId: 'session2' }, 'offer'),
      deterministicClientToken({ ...session, streamGroupId: 'sg-2' }, 'offer'),
      deterministicClientToken({ streamGroupId: 'sg-1session', streamSessionId: '' }, 'offer'),
      deterministicClientToken({ streamGroupId: 'sg-1', streamSessionId: 'sessionoffer' }, ''),
    ];

    expect(new Set(tokens).size).toBe(tokens.length);
  });
});
