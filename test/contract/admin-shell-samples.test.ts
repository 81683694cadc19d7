import { APIGatewayProxyEventSchema } from '@aws-lambda-powertools/parser/schemas/api-gateway';
import { describe, expect, it } from 'vitest';
import { parseReason } from '../../functions/request-admin-shell/request-admin-shell.ts';
import { originOf, parseSessionPath } from '../../functions/shared/api/request.ts';
import { adminShellAuditDetailSchema } from '../../functions/shared/contracts/index.ts';
import { adminShellRequestEvent } from '../../scripts/api-request-samples.ts';
import { adminShellAuditEventSchema } from '../../scripts/event-schemas.ts';
import { sample } from './contracts.ts';

const REQUEST = 'create-stream-session-admin-shell.api-gateway-event.json';
const auditSample = (result: string) =>
  adminShellAuditEventSchema.parse(sample(`admin-shell-audit.${result.toLowerCase()}.json`)).detail;

describe("the operator's request", () => {
  it('is what the script makes, and an event of API Gateway', () => {
    expect(sample(REQUEST)).toEqual(adminShellRequestEvent());
    expect(APIGatewayProxyEventSchema.safeParse(sample(REQUEST)).error).toBeUndefined();
  });

  it('holds no credential', () => {
    const names = Object.keys(adminShellRequestEvent().headers).join().toLowerCase();
    expect(names).not.toMatch(/authorization|security-token/);
  });

  it('is read by the code as the audit samples record it', () => {
    // Act
    const event = adminShellRequestEvent();
    const { requestId, caller, headers } = originOf(event);
    const session = parseSessionPath(event.pathParameters, {
      region: 'us-west-2',
      accountId: '111122223333',
    });
    // Assess
    for (const result of ['REQUESTED', 'GRANTED']) {
      expect(auditSample(result)).toMatchObject({
        ...session,
        requestId,
        caller: caller.name,
        accessKeyId: caller.accessKeyId,
        sourceIp: caller.sourceIp,
        reason: parseReason(headers),
      });
    }
  });
});

describe('the audit samples', () => {
  it.each(adminShellAuditDetailSchema.shape.result.options)('show the result %s', (result) => {
    expect(auditSample(result).result).toBe(result);
  });

  it('name a refusal exactly where there was one', () => {
    for (const result of adminShellAuditDetailSchema.shape.result.options) {
      expect(auditSample(result).refusal !== null).toBe(result === 'REFUSED');
    }
  });
});
