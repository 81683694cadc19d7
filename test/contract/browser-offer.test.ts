import { describe, expect, it, type TestContext } from 'vitest';
import { MAX_SIGNAL_REQUEST_BYTES, offerSchema } from '../../functions/shared/contracts/index.ts';
import { connectionRequestBody } from '../../scripts/api-request-samples.ts';
import { captureBrowserOffer } from '../../scripts/browser-offer.ts';
import { ChromiumMissingError, chromiumPath } from '../../scripts/chromium.ts';
import { contracts, refusals } from './contracts.ts';
import { addressesOf, committedOffer, parseSignalRequest, shapeOf } from './offer.ts';

/** Placeholders that every browser writes; an offer without candidates has no address of its machine. */
const PLACEHOLDER_ADDRESSES = ['0.0.0.0', '127.0.0.1'];

const BROWSER_TIMEOUT_MS = 60_000;

/** The path of Chromium; where there is none, the test is skipped and says what to install. */
function chromiumOrSkip(context: TestContext): string {
  try {
    return chromiumPath(process.env);
  } catch (error) {
    if (!(error instanceof ChromiumMissingError)) throw error;
    const reason = `${error.message}, to test with an offer from a real browser`;
    console.warn(`skipped: ${reason}`);
    return context.skip(reason);
  }
}

describe("a real browser's offer", () => {
  it('is accepted, and has the form of the committed sample', {
    timeout: BROWSER_TIMEOUT_MS,
  }, async (context) => {
    // Prepare
    const executablePath = chromiumOrSkip(context);
    // Act
    const { signalRequest } = await captureBrowserOffer(executablePath);
    // Assess
    const body = connectionRequestBody(signalRequest);
    expect(refusals(contracts.connectionRequest, body)).toEqual({ ajv: [], zod: [] });
    expect(offerSchema.safeParse(JSON.parse(signalRequest)).error).toBeUndefined();
    expect(Buffer.byteLength(signalRequest)).toBeLessThanOrEqual(MAX_SIGNAL_REQUEST_BYTES);
    const offer = parseSignalRequest(signalRequest);
    expect(shapeOf(offer)).toEqual(shapeOf(committedOffer()));
    expect(addressesOf(offer.sdp)).toEqual(PLACEHOLDER_ADDRESSES);
    expect(offer.sdp).not.toBe(committedOffer().sdp);
  });
});

describe('the committed offer', () => {
  it('has audio, video and data sections, and no address of the machine that made it', () => {
    const { media } = shapeOf(committedOffer());
    expect(media.map(({ kind, neededCodecs }) => [kind, ...neededCodecs])).toEqual([
      ['audio', 'opus'],
      ['video', 'h264'],
      ['application'],
    ]);
    expect(addressesOf(committedOffer().sdp)).toEqual(PLACEHOLDER_ADDRESSES);
  });
});

describe('the browser to use', () => {
  it('is the one that CHROMIUM_PATH names', () => {
    expect(chromiumPath({ CHROMIUM_PATH: process.execPath })).toBe(process.execPath);
  });

  it('is said to be missing, with what to install, where there is none', () => {
    expect(() => chromiumPath({ CHROMIUM_PATH: '/nowhere/chromium' })).toThrow(
      new ChromiumMissingError('/nowhere/chromium'),
    );
  });
});
