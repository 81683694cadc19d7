import { APIGatewayProxyEventSchema } from '@aws-lambda-powertools/parser/schemas/api-gateway';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { parseStatusChangeEvent } from '../../functions/on-status-change/parse-event.ts';
import { parseSessionPath } from '../../functions/shared/api/request.ts';
import { objectSample, sample } from './contracts.ts';

const DISCONNECTED_AT_MS = Date.parse('2026-03-14T18:42:07.318Z');

describe('what the code makes of the samples', () => {
  it('is the rejected sample, for a disconnect event whose timeout and end do not fit', () => {
    // Prepare
    const event = {
      ...objectSample('status-change.pending-client-reconnection.json'),
      id: '1c0f7a5e-8b2d-4e36-9f41-000000000013',
    };
    const { detail } = z.looseObject({ detail: z.looseObject({}) }).parse(event);
    const broken = { ...event, detail: { ...detail, connectionTimeoutSeconds: 3601, sessionEndsAt: 'soon' } };
    // Act
    const parsed = parseStatusChangeEvent(broken, DISCONNECTED_AT_MS);
    // Assess
    const { detail: rejection } = objectSample('status-change-rejected.json');
    expect(parsed).toEqual({ ok: false, rejection });
  });

  it("is the session's key, for the ARNs in the API Gateway sample's path", () => {
    // Prepare
    const event = sample('create-stream-session-connection.api-gateway-event.json');
    const { pathParameters } = APIGatewayProxyEventSchema.parse(event);
    // Act
    const session = parseSessionPath(pathParameters ?? null, {
      region: 'us-west-2',
      accountId: '111122223333',
    });
    // Assess
    expect(session).toEqual({ streamGroupId: 'sg-1AB2C3De4', streamSessionId: 'ABC123def4567' });
  });
});
