import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidRequestError } from '../../../../functions/shared/api/replies.ts';
import { parseSessionPath } from '../../../../functions/shared/api/request.ts';

const HOME = { region: 'us-west-2', accountId: '111122223333' };
const GROUP = 'sg-1AB2C3De4';
const SESSION = 'ABC123def4567';
const arnOf = (
  resource: string,
  { region = HOME.region, accountId = HOME.accountId, service = 'gameliftstreams' } = {},
) => `arn:aws:${service}:${region}:${accountId}:${resource}`;
const GROUP_ARN = arnOf(`streamgroup/${GROUP}`);
const SESSION_ARN = arnOf(`streamsession/${GROUP}/${SESSION}`);
const lowerCaseEscapes = (text: string) =>
  encodeURIComponent(text).replace(/%[0-9A-F]{2}/g, (encoded) => encoded.toLowerCase());

const parse = (Identifier?: string, StreamSessionIdentifier?: string) =>
  parseSessionPath(
    {
      ...(Identifier === undefined ? {} : { Identifier }),
      ...(StreamSessionIdentifier === undefined ? {} : { StreamSessionIdentifier }),
    },
    HOME,
  );

function refusalOf(Identifier?: string, StreamSessionIdentifier?: string): string {
  try {
    parse(Identifier, StreamSessionIdentifier);
  } catch (error) {
    if (error instanceof InvalidRequestError) return error.message;
    throw error;
  }
  throw new Error('The path was taken.');
}

describe('a path', () => {
  it.each<[string, string, string]>([
    ['two ids', GROUP, SESSION],
    ['two ARNs', GROUP_ARN, SESSION_ARN],
    ['two ARNs as an SDK writes them', encodeURIComponent(GROUP_ARN), encodeURIComponent(SESSION_ARN)],
    ['two ARNs in lower-case escapes', lowerCaseEscapes(GROUP_ARN), lowerCaseEscapes(SESSION_ARN)],
    ['a group by its id, a session by its ARN', GROUP, encodeURIComponent(SESSION_ARN)],
    ['a group by its ARN, a session by its id', encodeURIComponent(GROUP_ARN), SESSION],
    ['ids with a needless escape', GROUP.replace('-', '%2D'), SESSION.replace('A', '%41')],
  ])('names a session by %s', (_, identifier, streamSessionIdentifier) => {
    expect(parse(identifier, streamSessionIdentifier)).toEqual({
      streamGroupId: GROUP,
      streamSessionId: SESSION,
    });
  });

  it('may have ids as long as a session and a group can have', () => {
    const [group, session] = ['g'.repeat(128), 's'.repeat(68)];

    expect(parse(group, session)).toEqual({ streamGroupId: group, streamSessionId: session });
    expect(refusalOf('g'.repeat(129), SESSION)).toBe('Identifier must be 1 to 128 characters long.');
    expect(refusalOf(GROUP, 's'.repeat(69))).toBe(
      'StreamSessionIdentifier is not an id or ARN of the service.',
    );
    expect(refusalOf(GROUP, 's'.repeat(129))).toBe(
      'StreamSessionIdentifier must be 1 to 128 characters long.',
    );
  });
});

describe('a path that names no session here', () => {
  const NO_ID = 'is not an id or ARN of the service.';
  const ELSEWHERE = 'is of another Region or account than this service.';
  const LENGTH = 'must be 1 to 128 characters long.';

  it.each<[string, string | undefined, string]>([
    ['nothing', undefined, LENGTH],
    ['empty text', '', LENGTH],
    ['a space', '%20', NO_ID],
    ['a slash', 'sg%2F1', NO_ID],
    ['a bad escape', 'sg-%zz', 'is not well-formed percent-encoding.'],
    ['half an escape', 'sg-%2', 'is not well-formed percent-encoding.'],
    ['an escape that is no UTF-8', 'sg-%ff', 'is not well-formed percent-encoding.'],
    ['two layers of escapes', encodeURIComponent(encodeURIComponent(GROUP_ARN)), NO_ID],
    ['an ARN of another Region', arnOf(`streamgroup/${GROUP}`, { region: 'us-east-1' }), ELSEWHERE],
    ['an ARN of another account', arnOf(`streamgroup/${GROUP}`, { accountId: '999988887777' }), ELSEWHERE],
    ['an ARN of no Region', arnOf(`streamgroup/${GROUP}`, { region: '' }), ELSEWHERE],
    ['an ARN of another service', arnOf(`streamgroup/${GROUP}`, { service: 'gamelift' }), NO_ID],
    ['an ARN of an application', arnOf('application/a-1'), 'is not the ARN of a streamgroup.'],
    ['the ARN of a session', SESSION_ARN, 'is not the ARN of a streamgroup.'],
    ['an ARN without an id', arnOf('streamgroup'), 'is not the ARN of a streamgroup.'],
    ['an ARN with an empty id', arnOf('streamgroup/'), NO_ID],
    ['an ARN with more parts', arnOf(`streamgroup/${GROUP}/more`), 'is not the ARN of a streamgroup.'],
    ['an ARN that goes on', `${GROUP_ARN}:more`, NO_ID],
  ])('is refused, Identifier: %s', (_, identifier, problem) => {
    expect(refusalOf(identifier, SESSION)).toBe(`Identifier ${problem}`);
  });

  it.each<[string, string | undefined, string]>([
    ['nothing', undefined, LENGTH],
    ['empty text', '', LENGTH],
    ['a bad escape', '%', 'is not well-formed percent-encoding.'],
    ['the ARN of a group', GROUP_ARN, 'is not the ARN of a streamsession.'],
    ['an ARN without a group', arnOf(`streamsession/${SESSION}`), 'is not the ARN of a streamsession.'],
    ['an ARN with an empty id', arnOf(`streamsession/${GROUP}/`), NO_ID],
    ['an ARN with more parts', arnOf(`streamsession/${GROUP}/a/b`), 'is not the ARN of a streamsession.'],
    [
      'an ARN of another group',
      arnOf(`streamsession/sg-other/${SESSION}`),
      'is not of the stream group that Identifier names.',
    ],
    [
      'an ARN of another Region',
      arnOf(`streamsession/${GROUP}/${SESSION}`, { region: 'eu-west-1' }),
      ELSEWHERE,
    ],
    ['an id with a hash', 'session%23', NO_ID],
  ])('is refused, StreamSessionIdentifier: %s', (_, identifier, problem) => {
    expect(refusalOf(GROUP, identifier)).toBe(`StreamSessionIdentifier ${problem}`);
  });

  it('is refused when there are no parameters at all', () => {
    expect(() => parseSessionPath(null, HOME)).toThrow(
      expect.objectContaining({
        name: 'InvalidRequestError',
        message: 'Identifier must be 1 to 128 characters long.',
      }),
    );
  });

  it('is never quoted, and never more than a refusal', () => {
    const part = fc.oneof(
      fc.string().map((noise) => `SECRET${noise}`),
      fc.string().map((noise) => encodeURIComponent(`SECRET/${noise.toWellFormed()}`)),
      fc.string().map((noise) => `arn:aws:gameliftstreams:us-west-2:111122223333:SECRET/${noise}`),
      fc.constant(GROUP_ARN),
    );
    fc.assert(
      fc.property(part, part, (identifier, streamSessionIdentifier) => {
        try {
          const key = parse(identifier, streamSessionIdentifier);
          expect(`${key.streamGroupId}${key.streamSessionId}`).toMatch(/^[a-zA-Z0-9-]+$/);
        } catch (error) {
          if (!(error instanceof InvalidRequestError)) throw error;
          expect(error.message).not.toContain('SECRET');
          expect(error.message).toMatch(/^(Identifier|StreamSessionIdentifier) /);
        }
      }),
      { numRuns: 500 },
    );
  });
});
