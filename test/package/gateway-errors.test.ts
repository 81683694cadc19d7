import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { REPOSITORY_DIRECTORY } from '../../local/service/serverless-print.ts';

const responseSchema = z.object({
  Type: z.literal('AWS::ApiGateway::GatewayResponse'),
  Properties: z.object({
    ResponseType: z.string(),
    StatusCode: z.string().optional(),
    ResponseParameters: z.record(z.string(), z.string()),
    ResponseTemplates: z.strictObject({ 'application/json': z.string() }),
  }),
});
type Response = z.infer<typeof responseSchema>['Properties'];

const responses = new Map<string, Response>();

beforeAll(async () => {
  const text = await readFile(join(REPOSITORY_DIRECTORY, 'resources/api.yml'), 'utf8');
  // CloudFormation's own tags (!Ref) are of no interest here.
  const file: unknown = parse(text, { logLevel: 'silent' });
  const { resources } = z.object({ resources: z.record(z.string(), z.unknown()) }).parse(file);
  for (const resource of Object.values(resources)) {
    const response = responseSchema.safeParse(resource);
    if (response.success) responses.set(response.data.Properties.ResponseType, response.data.Properties);
  }
});

describe("a deployed API's own errors", () => {
  it('have a status of their own, but for the fallbacks, whose status would be that of every error', () => {
    for (const [type, { StatusCode }] of responses) {
      expect(StatusCode === undefined, type).toBe(type.startsWith('DEFAULT_'));
    }
  });

  it('have fixed messages: nothing of the request, and nothing that API Gateway says of it', () => {
    expect(responses.size).toBe(13);
    for (const { ResponseTemplates, ResponseParameters } of responses.values()) {
      const body: unknown = JSON.parse(ResponseTemplates['application/json']);
      expect(Object.keys(z.record(z.string(), z.string()).parse(body))).toEqual(['Message']);
      expect(JSON.stringify({ ResponseTemplates, ResponseParameters })).not.toMatch(/\$|method\.request/);
    }
  });

  it('tell a throttled caller when to come back', () => {
    for (const type of ['THROTTLED', 'QUOTA_EXCEEDED']) {
      expect(responses.get(type)).toMatchObject({
        StatusCode: '429',
        ResponseParameters: {
          'gatewayresponse.header.x-amzn-errortype': "'ThrottlingException'",
          'gatewayresponse.header.retry-after': "'1'",
        },
      });
    }
  });
});
