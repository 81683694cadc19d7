import type { APIGatewayProxyEvent } from 'aws-lambda';

/** Who sent a request, and what came with it beside path and body. */
export interface RequestOrigin {
  /** API Gateway's id of the request, unique. */
  readonly requestId: string;
  readonly caller: Caller;
  /** Every value of each header, by its name in lower case. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
}

export interface Caller {
  /** The ARN of the IAM identity, else its principal id, else its access key; "unsigned" only on a local API. */
  readonly name: string;
  readonly accessKeyId: string | null;
  readonly sourceIp: string | null;
}

/** Reads what API Gateway has found out about a request, by its signature and its connection. */
export function originOf(event: APIGatewayProxyEvent): RequestOrigin {
  const { requestId, identity } = event.requestContext;
  const { userArn, caller, accessKey, sourceIp } = identity;
  return {
    requestId,
    caller: { name: userArn ?? caller ?? accessKey ?? 'unsigned', accessKeyId: accessKey, sourceIp },
    headers: headersOf(event),
  };
}

/** Header names keep the case that the caller wrote them in, so one header may be there under two names. */
function headersOf({ multiValueHeaders }: APIGatewayProxyEvent): ReadonlyMap<string, readonly string[]> {
  const headers = new Map<string, readonly string[]>();
  for (const [name, values = []] of Object.entries(multiValueHeaders ?? {})) {
    const key = name.toLowerCase();
    headers.set(key, [...(headers.get(key) ?? []), ...values]);
  }
  return headers;
}
