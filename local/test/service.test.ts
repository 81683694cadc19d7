import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { printService, ServerlessPrintError } from '../../scripts/serverless/run-serverless.ts';
import { describeService } from '../service/describe-service.ts';
import { ServiceDescriptionError } from '../service/description-error.ts';
import { type IntrinsicScope, resolveIntrinsics } from '../service/intrinsics.ts';
import { readService, resolveEnvironment } from '../service/read-service.ts';
import type { Service } from '../service/service.ts';

const ACCOUNT = '123456789012';
const GREET = { 'Fn::GetAtt': ['GreetLambdaFunction', 'Arn'] };

/** A printed service with one function; `functions` and the rest replace what is here. */
function printed(overrides: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    service: 'shop',
    provider: { name: 'aws', region: 'eu-west-1', stage: 'local', environment: { SHARED: 'everywhere' } },
    functions: { greet: greet() },
    ...overrides,
  };
}

function greet(overrides: Record<string, unknown> = {}): Record<string, unknown> {
  return { handler: 'dist/greet/handler.handler', name: 'shop-local-greet', events: [], ...overrides };
}

function withResources(Resources: Record<string, unknown>): Record<string, unknown> {
  return printed({ resources: { Resources } });
}

function refusal(document: unknown): ServiceDescriptionError {
  try {
    describeService(document, { account: ACCOUNT });
  } catch (error) {
    if (error instanceof ServiceDescriptionError) return error;
    throw error;
  }
  throw new Error('The document was accepted.');
}

describe('the service of this repository', () => {
  let service: Service;

  beforeAll(async () => {
    service = await readService({ params: { windowMarginSeconds: '7' } });
  });

  it('has its functions with their deployed names, handlers and timeouts', () => {
    // Act
    const fn = service.functions.find(({ key }) => key === 'checkSession');

    // Assess
    expect(fn).toMatchObject({
      name: 'stream-session-reconnection-local-checkSession',
      logicalId: 'CheckSessionLambdaFunction',
      arn: `arn:aws:lambda:us-west-2:${ACCOUNT}:function:stream-session-reconnection-local-checkSession`,
      handler: { module: 'dist/check-session/handler', exportName: 'handler' },
      timeoutSeconds: 12,
      memoryMegabytes: 512,
    });
  });

  it('resolves an environment, overridden parameters included', () => {
    expect(resolveEnvironment(service, 'onStatusChange')).toMatchObject({
      TABLE_NAME: service.tables[0]?.name,
      EVENT_BUS_NAME: 'stream-session-reconnection-local',
      RECONNECTION_WINDOW_ARN: `arn:aws:states:us-west-2:${ACCOUNT}:stateMachine:stream-session-reconnection-local-reconnection-window`,
      WINDOW_MARGIN_SECONDS: '7',
    });
  });

  it('has an environment for every function', () => {
    for (const { key } of service.functions) {
      expect(resolveEnvironment(service, key)).toHaveProperty('TABLE_NAME', service.tables[0]?.name);
    }
  });

  it('has its routes, and who may call them', () => {
    expect(service.routes).toContainEqual({
      method: 'POST',
      path: '/streamgroups/{Identifier}/streamsessions/{StreamSessionIdentifier}/connections',
      functionName: 'stream-session-reconnection-local-requestConnection',
      authorizer: 'AWS_IAM',
    });
  });

  it('has the rules of functions and of resources, with the bus they listen to', () => {
    expect(service.rules.map(({ busName, targets }) => ({ busName, targets }))).toEqual(
      expect.arrayContaining([
        {
          busName: 'stream-session-reconnection-local',
          targets: [
            {
              type: 'queue',
              queueName: 'stream-session-reconnection-local-StatusChanges',
              inputTemplate:
                '{"ingestionTime": <aws.events.event.ingestion-time>, "event": <aws.events.event.json>}',
            },
          ],
        },
        {
          busName: 'stream-session-reconnection-local',
          targets: [{ type: 'queue', queueName: 'stream-session-reconnection-local-RejectedEvents' }],
        },
      ]),
    );
  });

  it('has the queue between the bus and its function, with what becomes of its messages', () => {
    expect(service.eventSources).toContainEqual({
      queueName: 'stream-session-reconnection-local-StatusChanges',
      functionName: 'stream-session-reconnection-local-onStatusChange',
      batchSize: 10,
      batchingWindowSeconds: 0,
      maximumConcurrency: 20,
      reportsItemFailures: true,
    });
    expect(service.queues.find(({ logicalId }) => logicalId === 'StatusChanges')).toMatchObject({
      visibilityTimeoutSeconds: 120,
      retentionSeconds: 1_209_600,
      redrive: {
        queueName: 'stream-session-reconnection-local-FailedStatusChanges',
        maxReceiveCount: 1_000,
      },
    });
  });

  it("has the queue of the watcher's looks, which forgets what nobody made in time", () => {
    expect(service.eventSources).toContainEqual({
      queueName: 'stream-session-reconnection-local-WatcherLooks',
      functionName: 'stream-session-reconnection-local-watchSessions',
      batchSize: 10,
      batchingWindowSeconds: 0,
      maximumConcurrency: 2,
      reportsItemFailures: false,
    });
    expect(service.queues.find(({ logicalId }) => logicalId === 'WatcherLooks')).toMatchObject({
      visibilityTimeoutSeconds: 90,
      retentionSeconds: 120,
    });
  });

  it('has definitions that name functions by ARN and hold no intrinsic any more', () => {
    // Act
    const machine = service.stateMachines.find(({ logicalId }) => logicalId === 'CreateConnection');

    // Assess
    expect(machine).toMatchObject({
      type: 'EXPRESS',
      definition: {
        States: {
          CreateConnection: {
            Arguments: {
              FunctionName: `arn:aws:lambda:us-west-2:${ACCOUNT}:function:stream-session-reconnection-local-createConnection`,
            },
          },
        },
      },
    });
    expect(JSON.stringify(service.stateMachines)).not.toMatch(/"Fn::|"Ref"/);
  });

  it('has the schedule of its watcher, which nobody repeats but the next minute', () => {
    expect(service.schedules).toEqual([
      {
        name: 'WatchSchedule',
        functionName: 'stream-session-reconnection-local-watchSessions',
        everySeconds: 60,
        maximumRetryAttempts: 0,
        maximumEventAgeSeconds: 60,
      },
    ]);
  });

  it('has the key schema of its table, and its index', () => {
    expect(service.tables).toEqual([
      {
        logicalId: 'Table',
        name: 'stream-session-reconnection-local-Table',
        attributeDefinitions: [
          { AttributeName: 'pk', AttributeType: 'S' },
          { AttributeName: 'sk', AttributeType: 'S' },
          { AttributeName: 'openIn', AttributeType: 'S' },
        ],
        keySchema: [
          { AttributeName: 'pk', KeyType: 'HASH' },
          { AttributeName: 'sk', KeyType: 'RANGE' },
        ],
        indexes: [
          {
            name: 'OpenWindows',
            keySchema: [
              { AttributeName: 'openIn', KeyType: 'HASH' },
              { AttributeName: 'pk', KeyType: 'RANGE' },
            ],
            projection: { ProjectionType: 'INCLUDE', NonKeyAttributes: expect.any(Array) },
          },
        ],
        timeToLiveAttribute: 'expiresAt',
      },
    ]);
  });
});

describe('a parameter that serverless.yml does not declare', () => {
  it('is refused, for the CLI would ignore it', async () => {
    await expect(readService({ params: { windowMarginSecond: '7' } })).rejects.toThrow(
      /windowMarginSecond: there is no such parameter\. There are .*windowMarginSeconds/,
    );
  });
});

describe('an error of the CLI', () => {
  it('is shown whole', async () => {
    // Prepare
    const directory = await mkdtemp(join(tmpdir(), 'service-'));
    await writeFile(
      join(directory, 'serverless.yml'),
      `service: shop\nprovider: { name: aws }\ncustom: { greeting: "\${file(missing.yml):greeting}" }\n`,
    );

    // Act
    const printing = printService({ directory, stage: 'local' });

    // Assess
    await expect(printing).rejects.toThrow(ServerlessPrintError);
    await expect(printing).rejects.toThrow(/Cannot resolve variable at "custom\.greeting".*osls/s);
    await rm(directory, { recursive: true });
  });
});

describe('a function', () => {
  it("takes the framework's defaults and the provider's environment, and overrides both", () => {
    // Act
    const [plain, own] = describeService(
      printed({
        functions: {
          greet: greet(),
          'say-bye': greet({ name: 'bye', timeout: 20, environment: { SHARED: 'own' } }),
        },
      }),
      { account: ACCOUNT },
    ).functions;

    // Assess
    expect(plain).toMatchObject({
      timeoutSeconds: 6,
      memoryMegabytes: 1024,
      environment: { SHARED: 'everywhere' },
    });
    expect(own).toMatchObject({
      logicalId: 'SayDashbyeLambdaFunction',
      timeoutSeconds: 20,
      environment: { SHARED: 'own' },
    });
  });

  it.each([
    [
      'an event that no stand-in has',
      { events: [{ sqs: 'arn:aws:sqs:eu-west-1:123456789012:queue' }] },
      'functions.greet.events.0.sqs',
    ],
    [
      'a schedule that is no rate',
      { events: [{ schedule: 'cron(0 12 * * ? *)' }] },
      'functions.greet.events.0.schedule',
    ],
    [
      'a rate that EventBridge would refuse',
      { events: [{ schedule: 'rate(1 minutes)' }] },
      'functions.greet.events.0.schedule',
    ],
    ['an unknown field', { layers: ['arn'] }, 'functions.greet'],
    [
      'a rule that transforms its input',
      { events: [{ eventBridge: { pattern: { source: ['a'] }, inputPath: '$.detail' } }] },
      'functions.greet.events.0.eventBridge',
    ],
    [
      'a rule on a bus of nobody',
      { events: [{ eventBridge: { pattern: { source: ['a'] }, eventBus: 'elsewhere' } }] },
      'functions.greet.events.0.eventBridge.eventBus',
    ],
    [
      'a rule with a schedule',
      { events: [{ eventBridge: { schedule: 'rate(1 minute)' } }] },
      'functions.greet.events.0.eventBridge.pattern',
    ],
    [
      'a greedy route',
      { events: [{ http: { method: 'get', path: 'a/{proxy+}' } }] },
      'functions.greet.events.0.http.path',
    ],
    [
      'a custom authorizer',
      { events: [{ http: { method: 'get', path: 'a', authorizer: 'mine' } }] },
      'functions.greet.events.0.http.authorizer',
    ],
  ])('with %s is refused by its path', (_title, overrides, path) => {
    expect(refusal(printed({ functions: { greet: greet(overrides) } })).path).toBe(path);
  });

  it.each([
    ['rate(1 minute)', 60],
    ['rate(15 minutes)', 900],
    ['rate(2 hours)', 7200],
    ['rate(1 day)', 86_400],
  ])('is invoked by time: %s', (schedule, everySeconds) => {
    const { schedules } = describeService(
      printed({ functions: { greet: greet({ events: [{ schedule }] }) } }),
      { account: ACCOUNT },
    );
    expect(schedules).toEqual([
      { name: 'greet.0', functionName: 'shop-local-greet', everySeconds, maximumRetryAttempts: 2 },
    ]);
  });

  it('cannot share a route with another under other parameter names', () => {
    // Prepare
    const route = (name: string, path: string) =>
      greet({ name, events: [{ http: { method: 'get', path } }] });

    // Act
    const error = refusal(printed({ functions: { one: route('one', 'a/{b}'), two: route('two', 'a/{c}') } }));

    // Assess
    expect(error.message).toBe('GET /a/{c}: two functions have this route');
  });
});

describe('a resource', () => {
  it.each([
    ['of an unknown type', { Type: 'AWS::S3::Bucket' }, 'resources.Resources.Thing.Type'],
    [
      'with an unknown property of a table',
      {
        Type: 'AWS::DynamoDB::Table',
        Properties: {
          AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
          KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
          StreamSpecification: {},
        },
      },
      'resources.Resources.Thing.Properties',
    ],
    [
      'that is a disabled rule',
      {
        Type: 'AWS::Events::Rule',
        Properties: { EventPattern: {}, State: 'DISABLED', Targets: [{ Id: 'a', Arn: 'b' }] },
      },
      'resources.Resources.Thing.Properties.State',
    ],
    [
      'that is a rule with a foreign target',
      {
        Type: 'AWS::Events::Rule',
        Properties: { EventPattern: {}, Targets: [{ Id: 'a', Arn: 'arn:aws:sns:eu-west-1:1:topic' }] },
      },
      'resources.Resources.Thing.Properties.Targets.0.Arn',
    ],
    [
      'that is a rule by neither event nor time',
      { Type: 'AWS::Events::Rule', Properties: { Targets: [{ Id: 'a', Arn: GREET }] } },
      'resources.Resources.Thing.Properties',
    ],
    [
      'that is a rule by time with a pattern',
      {
        Type: 'AWS::Events::Rule',
        Properties: {
          EventPattern: {},
          ScheduleExpression: 'rate(1 minute)',
          Targets: [{ Id: 'a', Arn: GREET }],
        },
      },
      'resources.Resources.Thing.Properties',
    ],
    [
      'with a condition that is not there',
      { Type: 'AWS::SQS::Queue', Condition: 'Wanted' },
      'resources.Resources.Thing.Condition',
    ],
  ])('%s is refused by its path', (_title, resource, path) => {
    expect(refusal(withResources({ Thing: resource })).path).toBe(path);
  });

  it('is there when its condition holds', () => {
    // Prepare
    const queue = (Condition: string) => ({ Type: 'AWS::SQS::Queue', Condition });
    const Conditions = {
      InIreland: { 'Fn::Equals': [{ Ref: 'AWS::Region' }, 'eu-west-1'] },
      Elsewhere: { 'Fn::Not': [{ 'Fn::Equals': [{ Ref: 'AWS::Region' }, 'eu-west-1'] }] },
    };
    const Resources = { Here: queue('InIreland'), There: queue('Elsewhere') };

    // Act
    const { queues, conditions } = describeService(printed({ resources: { Conditions, Resources } }), {
      account: ACCOUNT,
    });

    // Assess
    expect(queues.map(({ logicalId }) => logicalId)).toEqual(['Here']);
    expect(conditions).toEqual({ InIreland: true, Elsewhere: false });
  });

  it('has no condition that the stand-ins cannot evaluate', () => {
    const error = refusal(printed({ resources: { Conditions: { Any: { 'Fn::Or': [] } }, Resources: {} } }));
    expect(error.message).toBe('resources.Conditions.Any: is a condition that the stand-ins do not know');
  });

  it('may be a rule that invokes a function by time', () => {
    // Act
    const { schedules, rules } = describeService(
      withResources({
        EveryHour: {
          Type: 'AWS::Events::Rule',
          Properties: { ScheduleExpression: 'rate(1 hour)', Targets: [{ Id: 'greet', Arn: GREET }] },
        },
      }),
      { account: ACCOUNT },
    );

    // Assess
    expect(rules).toEqual([]);
    expect(schedules).toEqual([
      { name: 'EveryHour', functionName: 'shop-local-greet', everySeconds: 3600, maximumRetryAttempts: 2 },
    ]);
  });

  it('may be the target of a rule on the default bus', () => {
    // Act
    const { rules } = describeService(
      withResources({
        Inbox: {
          Type: 'AWS::SQS::Queue',
          Properties: { QueueName: { 'Fn::Sub': `\${AWS::StackName}-inbox` } },
        },
        Everything: {
          Type: 'AWS::Events::Rule',
          Properties: {
            EventPattern: { account: [{ Ref: 'AWS::AccountId' }] },
            Targets: [
              { Id: 'inbox', Arn: { 'Fn::GetAtt': ['Inbox', 'Arn'] } },
              { Id: 'greet', Arn: { 'Fn::GetAtt': 'GreetLambdaFunction.Arn' } },
            ],
          },
        },
      }),
      { account: ACCOUNT },
    );

    // Assess
    expect(rules).toEqual([
      {
        name: 'Everything',
        busName: 'default',
        pattern: { account: [ACCOUNT] },
        targets: [
          { type: 'queue', queueName: 'shop-local-inbox' },
          { type: 'function', functionName: 'shop-local-greet', maximumRetryAttempts: 2 },
        ],
      },
    ]);
  });
});

describe('a state machine', () => {
  const machine = (definition: unknown, more: object = {}) =>
    printed({
      stepFunctions: {
        stateMachines: { flow: { id: 'Flow', name: 'shop-flow', type: 'STANDARD', definition, ...more } },
      },
    });

  it('that names a function which is not there is refused by its path', () => {
    // Act
    const error = refusal(
      machine({ States: { Go: { Arguments: { FunctionName: { 'Fn::GetAtt': ['gone', 'Arn'] } } } } }),
    );

    // Assess
    expect(error.path).toBe(
      'stepFunctions.stateMachines.flow.definition.States.Go.Arguments.FunctionName.Fn::GetAtt',
    );
  });

  it('with events of its own is refused', () => {
    expect(refusal(machine({}, { events: [] })).path).toBe('stepFunctions.stateMachines.flow');
  });

  it("keeps a choice's Condition, which is no intrinsic", () => {
    // Prepare
    const definition = { States: { Ask: { Choices: [{ Condition: '{% true %}', Next: 'Go' }] } } };

    // Act
    const [described] = describeService(machine(definition), { account: ACCOUNT }).stateMachines;

    // Assess
    expect(described?.definition).toEqual(definition);
  });
});

describe('intrinsics', () => {
  const scope: IntrinsicScope = {
    region: 'eu-west-1',
    account: ACCOUNT,
    stackName: 'shop-local',
    resources: new Map([
      ['Table', { ref: 'shop-table', attributes: { Arn: 'arn:table', 'Endpoint.Port': '1' } }],
    ]),
    conditions: { OwnTable: true, OwnBus: false },
  };

  it.each([
    [{ Ref: 'Table' }, 'shop-table'],
    [{ Ref: 'AWS::Region' }, 'eu-west-1'],
    [{ 'Fn::GetAtt': ['Table', 'Arn'] }, 'arn:table'],
    [{ 'Fn::GetAtt': 'Table.Endpoint.Port' }, '1'],
    [
      { 'Fn::Sub': `\${AWS::Partition}:\${AWS::AccountId}:\${Table}:\${Table.Arn}:\${!Table}` },
      `aws:${ACCOUNT}:shop-table:arn:table:\${Table}`,
    ],
    [{ 'Fn::Sub': [`\${Name}!`, { Name: { Ref: 'Table' } }] }, 'shop-table!'],
    [{ 'Fn::If': ['OwnTable', { Ref: 'Table' }, { Ref: 'Nothing' }] }, 'shop-table'],
    [{ 'Fn::If': ['OwnBus', { Ref: 'Nothing' }, { a: ['default'] }] }, { a: ['default'] }],
    [
      [{ deep: { Ref: 'Table' } }, 1, null],
      [{ deep: 'shop-table' }, 1, null],
    ],
  ])('%j becomes %j', (value, resolved) => {
    expect(resolveIntrinsics(value, scope, 'here')).toEqual(resolved);
  });

  it.each([
    [{ Ref: 'Nothing' }, 'here.Ref: the stand-ins know no resource with the logical id Nothing'],
    [
      { 'Fn::GetAtt': ['Table', 'StreamArn'] },
      "here.Fn::GetAtt: the stand-ins do not know Table's attribute StreamArn",
    ],
    [{ 'Fn::If': ['OwnQueue', 1, 2] }, 'here.Fn::If: must name a condition of the template and two values'],
    [{ 'Fn::If': ['OwnBus', 1] }, 'here.Fn::If: must name a condition of the template and two values'],
    [{ 'Fn::Join': ['', []] }, 'here.Fn::Join: is an intrinsic that the stand-ins do not know'],
    [
      { 'Fn::Sub': `\${Nothing.Arn}` },
      'here.Fn::Sub: the stand-ins know no resource with the logical id Nothing',
    ],
    [{ Ref: 'Table', other: 1 }, 'here: Ref has other fields beside it'],
  ])('%j is refused', (value, message) => {
    expect(() => resolveIntrinsics(value, scope, 'here')).toThrow(
      new ServiceDescriptionError(...split(message)),
    );
  });
});

function split(message: string): [string, string] {
  const [path = '', ...problem] = message.split(/: (.*)/s);
  return [path, problem[0] ?? ''];
}
