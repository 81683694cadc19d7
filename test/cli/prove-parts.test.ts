import type { SFNClient } from '@aws-sdk/client-sfn';
import { type Endpoint, machine, startEndpoint, succeed } from 'step-functions-local/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DeployedAccount } from '../../cli/prove/account.ts';
import { SAMPLES_OF_RULE } from '../../cli/prove/checks/event-patterns.ts';
import { checkStateMachines, checkStates } from '../../cli/prove/checks/state-machines.ts';
import { POLICY_ACTIONS, provePolicy, SESSION_POLICY_ACTIONS } from '../../cli/prove/policy.ts';
import { iamActions } from '../../cli/prove/sdk-use.ts';
import { STATE_CASES } from '../../cli/prove/state-cases.ts';
import { allDefinitions } from '../helpers/definitions.ts';
import { listFiles, readText } from '../helpers/markdown.ts';
import { anAccount, files } from './prove-account.ts';

const FILES = { CreateConnection: 'create-connection', ReconnectionWindow: 'reconnection-window' };

describe.each(Object.entries(FILES))('what npm run prove tries of %s on AWS', (logicalId, file) => {
  const cases = STATE_CASES.filter((one) => one.machine === logicalId);
  const [{ state, variables } = { state: '', variables: {} }] = cases;
  let endpoint: Endpoint;
  let stateMachineArn: string;
  // One state under test, from variables that the input brings, to ends that say where they are.
  beforeAll(async () => {
    const tried = allDefinitions().find(({ name }) => name === file)?.definition.States[state];
    const targets = [...(tried?.Choices ?? []).map(({ Next }) => Next), tried?.Default ?? ''];
    const ends = targets.map((name) => [name, { Type: 'Pass', End: true, Output: name }]);
    const Assign = Object.fromEntries(
      Object.keys(variables).map((name) => [name, `{% $states.input.${name} %}`]),
    );
    endpoint = await startEndpoint({ work: succeed({}) });
    stateMachineArn = await endpoint.create({
      QueryLanguage: 'JSONata',
      StartAt: 'Begin',
      States: { ...Object.fromEntries(ends), Begin: { Type: 'Pass', Assign, Next: state }, [state]: tried },
    });
  });
  afterAll(() => endpoint.close());

  it('is one state, with the same variables each time', () => {
    expect(new Set(cases.map((one) => one.state)).size).toBe(1);
    for (const one of cases) expect(Object.keys(one.variables)).toEqual(Object.keys(variables));
  });

  it.each(cases)('goes $because to $next on the stand-in', async ({ variables: input, next }) => {
    const execution = await endpoint.start(stateMachineArn, input);
    await endpoint.clock.advance(1000);

    expect((await endpoint.describe(execution)).output).toBe(next);
  });
});

describe('npm run prove against the Step Functions stand-in', () => {
  const withMachine = (physicalId: string, client: SFNClient): DeployedAccount => {
    const { surroundings } = anAccount();
    return {
      ...surroundings,
      aws: { ...surroundings.clientsOf('us-west-2'), stepFunctions: client },
      region: 'us-west-2',
      stage: 'prod',
      stackName: 'stack',
      files: files(),
      stack: {
        outputs: new Map(),
        template: { Resources: {}, Outputs: {} },
        resources: [{ logicalId: 'CreateConnection', physicalId, type: 'AWS::StepFunctions::StateMachine' }],
      },
    };
  };

  it('finds a definition valid, and says that states cannot be tried there', async () => {
    const { client, create, close } = await startEndpoint({ work: succeed({}) });
    const definition = machine({ WasConnectionCreated: { Type: 'Pass', End: true } });
    const account = withMachine(await create(definition), client);

    const validity = await checkStateMachines(account);
    const states = await checkStates(account);

    await close();
    expect(validity).toEqual([
      { verdict: 'HOLDS', found: 'Step Functions finds the definition of CreateConnection valid.' },
    ]);
    expect(states).toEqual([expect.objectContaining({ verdict: 'COULD_NOT_ASK' })]);
  });

  it('says that a machine is not there', async () => {
    const { client, close } = await startEndpoint({ work: succeed({}) });
    const arn = 'arn:aws:states:us-east-1:123456789012:stateMachine:gone';

    const [found] = await checkStateMachines(withMachine(arn, client));

    await close();
    expect(found?.found).toContain('states:DescribeStateMachine: StateMachineDoesNotExist');
  });
});

describe('the policy of npm run prove', () => {
  const asked = listFiles('ts')
    .filter((path) => path.startsWith('cli/prove/checks/') && !path.endsWith('/session.ts'))
    .flatMap((path) =>
      [...readText(path).matchAll(/\b(?:ask|couldNotAsk)\(\s*'([\w-]+:\w+)'/g)].map(([, action]) => action),
    );

  /** What AWS asks for itself: a copy of the template, and each resource of a drift detection. */
  const BESIDES = ['cloudformation:DetectStackResourceDrift', 's3:GetObject'];

  it('allows each call that a check makes, and no other', () => {
    expect([...new Set([...asked, ...BESIDES])].sort()).toEqual([...POLICY_ACTIONS].sort());
  });

  it('with a session allows each operation that its check sends, and no other', () => {
    const sent = [...readText('cli/prove/checks/session.ts').matchAll(/new (\w+)Command\(/g)];

    const actions = sent.map(([, operation]) => `gameliftstreams:${operation}`);
    expect([...new Set(actions)].sort()).toEqual([...SESSION_POLICY_ACTIONS].sort());
  });

  it('names actions one by one, and none that changes more than a change set', () => {
    expect(provePolicy()).not.toContain(':*"');
    const changing = POLICY_ACTIONS.filter(
      (action) => !/:(Get|List|Describe|Validate|Test|Simulate|Detect)/.test(action),
    );
    expect(changing).toEqual(['cloudformation:CreateChangeSet', 'cloudformation:DeleteChangeSet']);
  });
});

it('every rule with a pattern has samples, or is known to have none', () => {
  const rules = listFiles('yml')
    .filter((path) => path.startsWith('resources/'))
    .flatMap((path) => readText(path).split(/^ {2}(?=\w+:$)/m))
    .filter((text) => text.includes('Type: AWS::Events::Rule') && text.includes('EventPattern:'))
    .map((text) => text.split(':')[0]);

  expect(rules.sort()).toEqual(Object.keys(SAMPLES_OF_RULE).sort());
});

describe('the calls of a bundle', () => {
  it('are named as IAM names them, the document client’s by those of the plain client', () => {
    const inputs = [
      '@aws-sdk/lib-dynamodb/dist-es/commands/GetCommand.js',
      '@aws-sdk/client-dynamodb/dist-es/commands/GetItemCommand.js',
      '@aws-sdk/client-dynamodb/dist-es/commands/DescribeEndpointsCommand.js',
      '@aws-sdk/client-sqs/dist-es/commands/ChangeMessageVisibilityBatchCommand.js',
      '@aws-sdk/client-sfn/dist-es/commands/StartExecutionCommand.js',
    ].map((path) => [`node_modules/${path}`, 1] as const);

    expect(iamActions({ inputs: new Map(inputs) })).toEqual([
      'dynamodb:GetItem',
      'sqs:ChangeMessageVisibility',
      'states:StartExecution',
    ]);
  });

  it('know the service of each client that a function has', () => {
    const clients = [
      ...readText('functions/shared/runtime/clients.ts').matchAll(/from '(@aws-sdk\/client-[\w-]+)'/g),
    ];

    const unknown = clients.filter(([, client = '']) => {
      const path = `node_modules/${client}/dist-es/commands/XCommand.js`;
      return iamActions({ inputs: new Map([[path, 1]]) }).length === 0;
    });

    expect(clients.length).toBeGreaterThan(4);
    expect(unknown).toEqual([]);
  });
});
