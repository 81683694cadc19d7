/** The least that `npm run prove` must be allowed to do. docs/prove-policy.json is written from it. */

/** By IAM action: the resources that it is for, after `arn:aws:`; `*` where IAM knows none. */
const NEEDS: Readonly<Record<string, readonly string[]>> = {
  'sts:GetCallerIdentity': ['*'],
  'cloudformation:CreateChangeSet': ['cloudformation:REGION:ACCOUNT:stack/STACK/*'],
  'cloudformation:DeleteChangeSet': ['cloudformation:REGION:ACCOUNT:stack/STACK/*'],
  'cloudformation:DescribeChangeSet': ['cloudformation:REGION:ACCOUNT:stack/STACK/*'],
  'cloudformation:DescribeStackDriftDetectionStatus': ['*'],
  'cloudformation:DescribeStackResourceDrifts': ['cloudformation:REGION:ACCOUNT:stack/STACK/*'],
  'cloudformation:DescribeStacks': ['cloudformation:REGION:ACCOUNT:stack/STACK/*'],
  'cloudformation:DetectStackDrift': ['cloudformation:REGION:ACCOUNT:stack/STACK/*'],
  // Drift detection asks for each resource in the caller's name.
  'cloudformation:DetectStackResourceDrift': ['cloudformation:REGION:ACCOUNT:stack/STACK/*'],
  'cloudformation:GetTemplate': ['cloudformation:REGION:ACCOUNT:stack/STACK/*'],
  'cloudformation:ListChangeSets': ['cloudformation:REGION:ACCOUNT:stack/STACK/*'],
  'cloudformation:ListStackResources': ['cloudformation:REGION:ACCOUNT:stack/STACK/*'],
  'cloudformation:ValidateTemplate': ['*'],
  's3:GetObject': ['s3:::stream-session-recon*/serverless/*'],
  'gameliftstreams:ListStreamGroups': ['*'],
  'states:DescribeStateMachine': ['states:REGION:ACCOUNT:stateMachine:STACK-*'],
  'states:TestState': ['*'],
  'states:ValidateStateMachineDefinition': ['*'],
  'events:DescribeRule': [
    'events:REGION:ACCOUNT:rule/stream-session-recon*',
    'events:REGION:ACCOUNT:rule/*/stream-session-recon*',
  ],
  'events:TestEventPattern': ['*'],
  'iam:GetPolicy': ['iam::ACCOUNT:policy/stream-session-recon*'],
  'iam:GetPolicyVersion': ['iam::ACCOUNT:policy/stream-session-recon*'],
  'iam:GetRole': ['iam::ACCOUNT:role/stream-session-recon*', 'iam::ACCOUNT:role/*/stream-session-recon*'],
  'iam:GetRolePolicy': [
    'iam::ACCOUNT:role/stream-session-recon*',
    'iam::ACCOUNT:role/*/stream-session-recon*',
  ],
  'iam:ListRolePolicies': [
    'iam::ACCOUNT:role/stream-session-recon*',
    'iam::ACCOUNT:role/*/stream-session-recon*',
  ],
  'iam:SimulatePrincipalPolicy': [
    'iam::ACCOUNT:role/stream-session-recon*',
    'iam::ACCOUNT:role/*/stream-session-recon*',
  ],
  'access-analyzer:ValidatePolicy': ['*'],
  'cloudwatch:DescribeAlarms': ['*'],
  'cloudwatch:ListMetrics': ['*'],
  'logs:DescribeLogGroups': ['*'],
  'sqs:GetQueueAttributes': ['sqs:REGION:ACCOUNT:stream-session-recon*'],
  'dynamodb:DescribeTable': ['dynamodb:REGION:ACCOUNT:table/*'],
  'dynamodb:DescribeTimeToLive': ['dynamodb:REGION:ACCOUNT:table/*'],
  'lambda:GetAccountSettings': ['*'],
  'servicequotas:ListServiceQuotas': ['*'],
};

/** Beside these: what it takes to start three sessions and to end them. */
const SESSION_NEEDS: typeof NEEDS = {
  'gameliftstreams:CreateStreamSessionConnection': ['gameliftstreams:REGION:ACCOUNT:streamgroup/GROUP'],
  'gameliftstreams:GetStreamSession': ['gameliftstreams:REGION:ACCOUNT:streamgroup/GROUP'],
  'gameliftstreams:ListStreamSessions': ['gameliftstreams:REGION:ACCOUNT:streamgroup/GROUP'],
  // Service Authorization Reference: the stream group. Examples of the developer guide name the application.
  'gameliftstreams:StartStreamSession': [
    'gameliftstreams:REGION:ACCOUNT:streamgroup/GROUP',
    'gameliftstreams:REGION:ACCOUNT:application/*',
  ],
  'gameliftstreams:TerminateStreamSession': ['gameliftstreams:REGION:ACCOUNT:streamgroup/GROUP'],
};

export const POLICY_ACTIONS: readonly string[] = Object.keys(NEEDS);
export const SESSION_POLICY_ACTIONS: readonly string[] = Object.keys(SESSION_NEEDS);

export interface PolicyScope {
  readonly account: string;
  readonly region: string;
  readonly stage: string;
}

export const EXAMPLE_SCOPE: PolicyScope = { account: '111122223333', region: 'us-west-2', stage: 'prod' };

/** Returns what a run with a session needs beside, as the text of docs/prove-session-policy.json. */
export function sessionPolicy(scope: PolicyScope = EXAMPLE_SCOPE): string {
  return documentOf(SESSION_NEEDS, scope).replaceAll('GROUP', 'sg-1AB2C3De4');
}

/** Returns the policy as the text of docs/prove-policy.json. */
export function provePolicy(scope: PolicyScope = EXAMPLE_SCOPE): string {
  return documentOf(NEEDS, scope);
}

/** One statement for each service and set of resources. */
function documentOf(needs: typeof NEEDS, { account, region, stage }: PolicyScope): string {
  const arnOf = (text: string) =>
    text === '*'
      ? text
      : `arn:aws:${text
          .replace('REGION', region)
          .replace('ACCOUNT', account)
          .replace('STACK', `stream-session-reconnection-${stage}`)}`;
  const statements = new Map<string, { service: string; actions: string[]; resources: string[] }>();
  for (const [action, resources] of Object.entries(needs)) {
    const [service = ''] = action.split(':');
    // Actions without a resource need no statement for each service.
    const key = resources.includes('*') ? '*' : `${service} ${resources.join()}`;
    const statement = statements.get(key) ?? {
      service: key === '*' ? 'WithoutResource' : service,
      actions: [],
      resources: resources.map(arnOf),
    };
    statement.actions.push(action);
    statements.set(key, statement);
  }
  const document = {
    Version: '2012-10-17',
    Statement: [...statements.values()].map(({ service, actions, resources }, index) => ({
      Sid: `${service.replace(/^\w/, (letter) => letter.toUpperCase()).replaceAll('-', '')}${index + 1}`,
      Effect: 'Allow',
      Action: actions.sort(),
      Resource: resources,
    })),
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}
