import { readFileSync } from 'node:fs';
import type { LoopbackReply } from 'local-server-kit';
import { parse } from 'yaml';
import * as z from 'zod';

export interface GatewayResponse {
  readonly status: number;
  /** What API Gateway calls the error itself, in an `x-amzn-ErrorType` of its own. */
  readonly ownErrorType: string;
  /** The headers that the deployment maps (`ResponseParameters`). */
  readonly mappedHeaders: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The gateway responses that the local API sends, and what `resources/api.yml` does not say of them. */
const OWN = {
  /** A path that is not well-formed percent-encoding, for one. */
  DEFAULT_4XX: { ownErrorType: 'BadRequestException', status: 400 },
  /** API Gateway has one answer for a request without a signature and for one that no route has. */
  MISSING_AUTHENTICATION_TOKEN: { ownErrorType: 'MissingAuthenticationTokenException' },
  /** The function failed, gave no proxy reply, or could not be invoked. */
  DEFAULT_5XX: { ownErrorType: 'InternalServerErrorException', status: 502 },
  INTEGRATION_TIMEOUT: { ownErrorType: 'InternalServerErrorException', status: 504 },
} as const satisfies Record<string, { readonly ownErrorType: string; readonly status?: number }>;

const gatewayResponseSchema = z.object({
  Type: z.literal('AWS::ApiGateway::GatewayResponse'),
  Properties: z.object({
    ResponseType: z.string(),
    StatusCode: z.coerce.number().optional(),
    ResponseParameters: z.record(z.string(), z.string().regex(/^'.*'$/)),
    ResponseTemplates: z.strictObject({ 'application/json': z.string() }),
  }),
});
const fileSchema = z.object({ resources: z.record(z.string(), z.unknown()) });

/** The deployment's gateway responses, by API Gateway's names of them. */
const deployed = new Map(
  // CloudFormation's own tags (!Ref) are of no interest here.
  Object.values(
    fileSchema.parse(
      parse(readFileSync(new URL('../../resources/api.yml', import.meta.url), 'utf8'), {
        logLevel: 'silent',
      }),
    ).resources,
  ).flatMap((resource) => {
    const { data } = gatewayResponseSchema.safeParse(resource);
    return data === undefined ? [] : [[data.Properties.ResponseType, data.Properties] as const];
  }),
);

/**
 * API Gateway's own errors as `resources/api.yml` customizes them: in the shape of the service that the API
 * stands in front of (restJson1), by API Gateway's names of its gateway responses.
 *
 * The types of its own are from AWS-validated tests of LocalStack (services/apigateway, gateway_response.py).
 */
export const GATEWAY_RESPONSES = {
  DEFAULT_4XX: gatewayResponse('DEFAULT_4XX'),
  MISSING_AUTHENTICATION_TOKEN: gatewayResponse('MISSING_AUTHENTICATION_TOKEN'),
  DEFAULT_5XX: gatewayResponse('DEFAULT_5XX'),
  INTEGRATION_TIMEOUT: gatewayResponse('INTEGRATION_TIMEOUT'),
} as const satisfies Record<keyof typeof OWN, GatewayResponse>;

/**
 * Returns the reply for a gateway response. A mapped header does not replace the one that API Gateway sends itself, so
 * there are two `x-amzn-errortype`, the mapped one first (aws/aws-sdk-js-v3#3852 has a capture).
 *
 * @param status of this error, where the gateway response has none of its own
 */
export function gatewayReply(
  { status, ownErrorType, mappedHeaders, body }: GatewayResponse,
  statusOfError = status,
): LoopbackReply {
  const mappedType = mappedHeaders['x-amzn-errortype'];
  return {
    status: statusOfError,
    headers: {
      'content-type': 'application/json',
      ...mappedHeaders,
      'x-amzn-errortype': mappedType === undefined ? ownErrorType : [mappedType, ownErrorType],
    },
    body,
  };
}

/**
 * The two answers to a request that is too large. A deployment cannot change either: "Customizing the default
 * gateway response for 413 REQUEST_TOO_LARGE isn't currently supported" (developer guide, Important notes).
 * Both are as captured in koki-develop/lgtm-generator#10.
 */
export const TOO_LARGE_FOR_LAMBDA: LoopbackReply = {
  status: 413,
  headers: { 'content-type': 'application/json', 'x-amzn-errortype': 'BadRequestException' },
  body: '{"message": "Request Too Long"}',
};
export const TOO_LARGE_FOR_GATEWAY = {
  headers: { 'content-type': 'text; charset=utf-8' },
  body: 'HTTP content length exceeded 10485760 bytes.',
} as const satisfies Partial<LoopbackReply>;

function gatewayResponse(type: keyof typeof OWN): GatewayResponse {
  const own: { readonly ownErrorType: string; readonly status?: number } = OWN[type];
  const response = deployed.get(type);
  const status = response?.StatusCode ?? own.status;
  if (response === undefined || status === undefined) throw new Error(`resources/api.yml has no ${type}.`);
  const mappedHeaders = Object.fromEntries(
    Object.entries(response.ResponseParameters).map(([name, value]) => [
      name.replace('gatewayresponse.header.', ''),
      value.slice(1, -1),
    ]),
  );
  const body = response.ResponseTemplates['application/json'];
  return { status, ownErrorType: own.ownErrorType, mappedHeaders, body };
}
