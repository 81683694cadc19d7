import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { REPOSITORY_DIRECTORY } from '../../scripts/serverless/run-serverless.ts';

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

const SERVER_ERRORS = new Set(['DEFAULT_5XX', 'INTEGRATION_TIMEOUT']);

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
  it('of 4xx have a status each, but for the fallback, whose status every one would get', () => {
    for (const [type, { StatusCode }] of responses) {
      if (!SERVER_ERRORS.has(type)) expect(StatusCode === undefined, type).toBe(type === 'DEFAULT_4XX');
    }
  });

  it('of 5xx keep the status that API Gateway gives them, which 5XXError counts', () => {
    for (const type of SERVER_ERRORS) expect(responses.get(type)?.StatusCode, type).toBeUndefined();
    // A response of its own would turn the 500 of a throttled function into 504, the default of the type.
    expect(responses.has('INTEGRATION_FAILURE')).toBe(false);
  });

  it('name their type with a colon, so that botocore drops the second header', () => {
    for (const [type, { ResponseParameters }] of responses) {
      expect(ResponseParameters['gatewayresponse.header.x-amzn-errortype'], type).toMatch(
        /^'\w+Exception:'$/,
      );
    }
  });

  it('have fixed messages: nothing of the request, and nothing that API Gateway says of it', () => {
    expect(responses.size).toBe(12);
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
          'gatewayresponse.header.x-amzn-errortype': "'ThrottlingException:'",
          'gatewayresponse.header.retry-after': "'1'",
        },
      });
    }
  });
});
