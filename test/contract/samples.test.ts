import { APIGatewayProxyEventSchema } from '@aws-lambda-powertools/parser/schemas/api-gateway';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  MAX_SIGNAL_REQUEST_BYTES,
  offerSchema,
  outcomeSchema,
  STATUS_CHANGE_DETAIL_TYPE,
  statusChangeDetailSchema,
  statusChangeEventSchema,
  streamSessionStatusSchema,
} from '../../functions/shared/contracts/index.ts';
import { type Contract, contracts, objectSample, refusals, sample, sampleNames } from './contracts.ts';

const PUT_EVENTS = 'put-events.pending-client-reconnection.json';
const REQUEST = 'create-stream-session-connection.request.json';
const API_GATEWAY_EVENT = 'create-stream-session-connection.api-gateway-event.json';
const ADMIN_SHELL_EVENT = 'create-stream-session-admin-shell.api-gateway-event.json';

/** What Step Functions sends when a window's execution has ended red. */
const EXECUTION_EVENTS = ['failed', 'timed-out', 'aborted'].map(
  (how) => `execution-status-change.${how}.json`,
);

/** What AWS's services take or send, around this service's own; they have tests of their own. */
const CARRIERS = [PUT_EVENTS, API_GATEWAY_EVENT, ADMIN_SHELL_EVENT, ...EXECUTION_EVENTS];

function contractOf(sampleName: string): Contract {
  if (sampleName === 'status-change-rejected.json') return contracts.rejected;
  if (sampleName.startsWith('status-change.')) return contracts.statusChange;
  if (sampleName.startsWith('window-opened')) return contracts.windowOpened;
  if (sampleName.startsWith('reconnection-outcome.')) return contracts.outcome;
  if (sampleName.startsWith('admin-shell-audit.')) return contracts.adminShellAudit;
  if (sampleName.startsWith('operator-audit.')) return contracts.operatorAudit;
  if (sampleName.startsWith('reconnection-window.')) return contracts.windowReply;
  if (sampleName === 'leaving.request.json') return contracts.leavingRequest;
  if (sampleName === REQUEST) return contracts.connectionRequest;
  throw new Error(`No contract is known for the sample ${sampleName}`);
}

describe('the samples', () => {
  it.each(sampleNames().filter((name) => !CARRIERS.includes(name)))('fit both schemas: %s', (name) => {
    expect(refusals(contractOf(name), sample(name))).toEqual({ ajv: [], zod: [] });
  });

  it('show each of the eight statuses', () => {
    const shown = sampleNames()
      .filter((name) => name.startsWith('status-change.'))
      .map((name) => statusChangeEventSchema.parse(sample(name)).detail.status);
    expect([...new Set(shown)].sort()).toEqual([...streamSessionStatusSchema.options].sort());
  });

  it.each(outcomeSchema.options)('show the outcome %s', (outcome) => {
    expect(objectSample(`reconnection-outcome.${outcome.toLowerCase()}.json`)).toMatchObject({
      detail: { outcome },
    });
  });

  it('show the disconnect with and without what a sender may not know', () => {
    const full = statusChangeEventSchema.parse(sample('status-change.pending-client-reconnection.json'));
    const minimal = statusChangeEventSchema.parse(
      sample('status-change.pending-client-reconnection.minimal.json'),
    );
    const optional = ['connectionTimeoutSeconds', 'sessionEndsAt'];
    expect(Object.keys(full.detail)).toEqual([...Object.keys(minimal.detail), ...optional]);
  });

  it('show a report that says why the player dropped and after how long to give up', () => {
    const { detail } = statusChangeEventSchema.parse(
      sample('status-change.pending-client-reconnection.give-up.json'),
    );

    expect(detail).toMatchObject({ dropCause: 'NETWORK', giveUpAfterSeconds: 60 });
  });
});

describe('the PutEvents sample', () => {
  it('sends the detail of the minimal disconnect event', () => {
    // Prepare
    const entriesSchema = z.tuple([
      z.strictObject({
        EventBusName: z.string().min(1),
        Source: z.string().regex(/^(?!aws\.)/),
        DetailType: z.literal(STATUS_CHANGE_DETAIL_TYPE),
        Resources: z.array(z.string().startsWith('arn:')),
        Detail: z.string(),
      }),
    ]);
    // Act
    const [entry] = entriesSchema.parse(sample(PUT_EVENTS));
    // Assess
    const minimal = statusChangeEventSchema.parse(
      sample('status-change.pending-client-reconnection.minimal.json'),
    );
    expect(statusChangeDetailSchema.parse(JSON.parse(entry.Detail))).toEqual(minimal.detail);
    expect(entry.Source).toBe(minimal.source);
  });
});

describe('the API Gateway sample', () => {
  const event = APIGatewayProxyEventSchema.parse(sample(API_GATEWAY_EVENT));

  it('carries the request body sample', () => {
    expect(JSON.parse(event.body ?? '')).toEqual(sample(REQUEST));
  });

  it('addresses the session by ARNs whose slashes stay encoded in the path', () => {
    // Act
    const segments = event.path.split('/');
    // Assess
    const group = 'arn:aws:gameliftstreams:us-west-2:111122223333:streamgroup/sg-1AB2C3De4';
    const session = 'arn:aws:gameliftstreams:us-west-2:111122223333:streamsession/sg-1AB2C3De4/ABC123def4567';
    const encoded = [group, session].map(encodeURIComponent);
    expect(segments).toEqual(['', 'streamgroups', encoded[0], 'streamsessions', encoded[1], 'connections']);
    expect(event.pathParameters).toEqual({ Identifier: encoded[0], StreamSessionIdentifier: encoded[1] });
  });

  it('holds no credential', () => {
    expect(
      Object.keys(event.headers ?? {})
        .join()
        .toLowerCase(),
    ).not.toMatch(/authorization|security-token/);
  });
});

describe('the request sample', () => {
  it('holds an offer that the code accepts', () => {
    const { SignalRequest } = z.object({ SignalRequest: z.string() }).parse(sample(REQUEST));
    expect(offerSchema.safeParse(JSON.parse(SignalRequest)).error).toBeUndefined();
    expect(Buffer.byteLength(SignalRequest)).toBeLessThanOrEqual(MAX_SIGNAL_REQUEST_BYTES);
  });
});
