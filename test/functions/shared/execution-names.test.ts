import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sessionKeySchema } from '../../../functions/shared/contracts/index.ts';
import {
  executionUrlOf,
  requestExecutionName,
  windowExecutionArn,
  windowExecutionName,
} from '../../../functions/shared/contracts/names.ts';

const idOf = (maxLength: number) =>
  fc.stringMatching(/^[a-zA-Z0-9-]{1,128}$/, { maxLength }).filter((id) => id.length <= maxLength);
const sessions = fc.record({ streamGroupId: idOf(128), streamSessionId: idOf(68) });
/** What Step Functions takes for a name. */
const EXECUTION_NAME = /^[a-zA-Z0-9-_]{1,80}$/;

describe('the ARN of an execution', () => {
  it('is its machine’s, with its name', () => {
    const machine = 'arn:aws:states:us-west-2:123456789012:stateMachine:reconnection-window';
    const session = { streamGroupId: 'sg-1AB2C3De4', streamSessionId: 'ABC123def4567' };

    expect(windowExecutionArn(machine, session, 2)).toBe(
      'arn:aws:states:us-west-2:123456789012:execution:reconnection-window:ABC123def4567-2',
    );
  });
});

describe('the page of an execution in the console', () => {
  it.each([
    ['aws', 'us-west-2', 'https://us-west-2.console.aws.amazon.com'],
    ['aws-cn', 'cn-north-1', 'https://cn-north-1.console.amazonaws.cn'],
    ['aws-us-gov', 'us-gov-west-1', 'https://us-gov-west-1.console.amazonaws-us-gov.com'],
  ])('is in the console of its partition and Region: %s', (partition, region, origin) => {
    const arn = `arn:${partition}:states:${region}:111122223333:execution:reconnection-window:ABC123def4567-1`;

    expect(executionUrlOf(arn)).toBe(`${origin}/states/home?region=${region}#/v2/executions/details/${arn}`);
  });

  it('is not known in another partition', () => {
    expect(executionUrlOf('arn:aws-iso:states:us-iso-east-1:111122223333:execution:x:y')).toBeUndefined();
  });
});

describe('the name of an execution', () => {
  it("begins with the session's id and fits, for every window that a session can have", () => {
    fc.assert(
      fc.property(sessions, fc.integer({ min: 1, max: 99_999_999_999 }), (session, generation) => {
        const name = windowExecutionName(session, generation);

        expect(sessionKeySchema.safeParse(session).success).toBe(true);
        expect(name).toBe(`${session.streamSessionId}-${generation}`);
        expect(name).toMatch(EXECUTION_NAME);
      }),
    );
  });

  it("of a request begins with the session's id, ends with the request's, and fits", () => {
    fc.assert(
      fc.property(sessions, fc.uuid(), (session, requestId) => {
        const name = requestExecutionName(session, requestId);

        expect(name).toMatch(EXECUTION_NAME);
        expect(name).toBe(`${session.streamSessionId.slice(0, 43)}-${requestId}`);
      }),
    );
  });

  it("of a request keeps the beginning of a session's id that is too long, for that is what is typed", () => {
    const streamSessionId = `begin${'-'.repeat(58)}ends7`;
    const requestId = '4f1d2c3b-5a69-4788-97a6-b5c4d3e2f101';

    const name = requestExecutionName({ streamGroupId: 'sg-1', streamSessionId }, requestId);

    expect(name).toBe(`begin${'-'.repeat(38)}-${requestId}`);
    expect(name).toHaveLength(80);
  });

  it.each([79, 80, 81, 200])('fits whatever the request is called: an id of %i', (length) => {
    const requestId = `${'r'.repeat(length - 1)}9`;

    const name = requestExecutionName({ streamGroupId: 'sg-1', streamSessionId: 'session' }, requestId);

    expect(name.length).toBe(80);
    expect(name.endsWith('r9')).toBe(true);
  });
});
