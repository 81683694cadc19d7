import { createServer, type Server } from 'node:http';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { afterEach, describe, expect, it } from 'vitest';
import { deployedOutputs } from '../../scripts/serverless/deployed-stack.ts';

let server: Server | undefined;

afterEach(() => new Promise((resolve) => server?.close(resolve)));

/** What the outputs are when CloudFormation answers so, over HTTP and in its own protocol. */
async function outputsWhen(status: number, body: string): Promise<ReadonlyMap<string, string> | undefined> {
  const listening = createServer((_request, response) => response.writeHead(status).end(body));
  server = listening;
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  const address = listening.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const client = new CloudFormationClient({
    endpoint: `http://127.0.0.1:${port}`,
    region: 'us-west-2',
    credentials: { accessKeyId: 'x', secretAccessKey: 'x' },
    maxAttempts: 1,
  });
  return deployedOutputs(client, 'service-prod');
}

const described = (stack: string) =>
  `<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><DescribeStacksResult><Stacks>
   <member><StackName>service-prod</StackName><CreationTime>2026-11-28T18:00:00Z</CreationTime>${stack}</member>
   </Stacks></DescribeStacksResult></DescribeStacksResponse>`;
const refused = (code: string, message: string) =>
  `<ErrorResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><Error><Type>Sender</Type>
   <Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`;

describe('the outputs of the deployed stack', () => {
  it('are read by name', async () => {
    const outputs = await outputsWhen(
      200,
      described(
        `<StackStatus>UPDATE_COMPLETE</StackStatus><Outputs>
         <member><OutputKey>Parameters1</OutputKey><OutputValue>{"a":"1"}</OutputValue></member></Outputs>`,
      ),
    );

    expect(outputs).toEqual(new Map([['Parameters1', '{"a":"1"}']]));
  });

  it('are none of a stack that has none', async () => {
    expect(await outputsWhen(200, described('<StackStatus>CREATE_COMPLETE</StackStatus>'))).toEqual(
      new Map(),
    );
  });

  it('are undefined where there is no stack', async () => {
    const body = refused('ValidationError', 'Stack with id service-prod does not exist');

    expect(await outputsWhen(400, body)).toBeUndefined();
  });

  it('are undefined where a stack was begun and never created', async () => {
    expect(
      await outputsWhen(200, described('<StackStatus>REVIEW_IN_PROGRESS</StackStatus>')),
    ).toBeUndefined();
  });

  it.each([
    ['AccessDenied', 403, 'User is not authorized to perform: cloudformation:DescribeStacks'],
    ['ValidationError', 400, 'Stack name is not valid'],
  ])(
    'are an error when CloudFormation answers %s, so that nothing is deployed unseen',
    async (code, status, message) => {
      await expect(outputsWhen(status, refused(code, message))).rejects.toThrow(message);
    },
  );
});
