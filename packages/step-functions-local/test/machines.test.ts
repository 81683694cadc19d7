import {
  CreateStateMachineCommand,
  DescribeStateMachineCommand,
  ListStateMachinesCommand,
  ValidateStateMachineDefinitionCommand,
} from '@aws-sdk/client-sfn';
import { describe, expect, it } from 'vitest';
import { callback, machine, pass, ROLE, task } from '../src/testing/index.ts';
import { startEndpoint } from './harness.ts';

const definition = JSON.stringify(machine({ A: pass() }));

describe('CreateStateMachine', () => {
  it('again with the same definition and type gives the same ARN and date', async () => {
    const { client, clock } = await startEndpoint();
    const request = { name: 'm', definition, roleArn: ROLE, type: 'EXPRESS' } as const;
    const first = await client.send(new CreateStateMachineCommand(request));
    await clock.advance(60_000);
    // AWS does not compare the role.
    const again = await client.send(new CreateStateMachineCommand({ ...request, roleArn: `${ROLE}-2` }));
    expect(first.stateMachineArn).toBe('arn:aws:states:us-east-1:123456789012:stateMachine:m');
    expect(again).toMatchObject({ stateMachineArn: first.stateMachineArn, creationDate: first.creationDate });
  });

  it.each([
    ['another definition', { definition: JSON.stringify(machine({ B: pass() })) }],
    ['the same definition written otherwise', { definition: `${definition} ` }],
    ['another type', { type: 'EXPRESS' as const }],
    ['another logging', { loggingConfiguration: { level: 'ALL' as const } }],
  ])('again with %s is refused', async (_what, change) => {
    const { client } = await startEndpoint();
    const request = { name: 'm', definition, roleArn: ROLE };
    await client.send(new CreateStateMachineCommand(request));
    await expect(client.send(new CreateStateMachineCommand({ ...request, ...change }))).rejects.toMatchObject(
      {
        name: 'StateMachineAlreadyExists',
        message: "State Machine Already Exists: 'arn:aws:states:us-east-1:123456789012:stateMachine:m'",
      },
    );
  });

  it('twice at the same time makes one machine', async () => {
    const { client } = await startEndpoint();
    const request = { name: 'm', definition, roleArn: ROLE };
    await Promise.all([1, 2, 3].map(() => client.send(new CreateStateMachineCommand(request))));
    const { stateMachines } = await client.send(new ListStateMachinesCommand());
    expect(stateMachines).toHaveLength(1);
  });

  it('lists every error of the definition, each with its path', async () => {
    const { create } = await startEndpoint();
    const broken = machine({ A: task({ HeartbeatSeconds: 3, Next: 'C' }), B: { Type: 'Parallel' } });
    await expect(create(broken)).rejects.toMatchObject({
      name: 'InvalidDefinition',
      message: [
        'Invalid State Machine Definition:',
        '  /States/A/HeartbeatSeconds: not supported here',
        '  /States/B/Type: "Parallel" is not supported here: only Task, Pass, Choice, Wait, Succeed, Fail',
        '  /States/A/Next: there is no state "C"',
        '  /States/B: cannot be reached',
        '  /States: no state that can be reached ends the execution',
      ].join('\n'),
    });
  });

  it('refuses a definition that is no JSON', async () => {
    const { create } = await startEndpoint();
    await expect(create('not a definition')).rejects.toMatchObject({
      name: 'InvalidDefinition',
      message: expect.stringContaining('/: is no JSON'),
    });
  });

  it('refuses a state that is there twice', async () => {
    const { create } = await startEndpoint();
    const twice = definition.replace('"States":{', '"States":{"A":{"Type":"Succeed"},');
    await expect(create(twice)).rejects.toMatchObject({
      name: 'InvalidDefinition',
      message: expect.stringMatching(/\/States\/A: Duplicate object key/),
    });
  });

  it('refuses a callback in an Express machine', async () => {
    const { create } = await startEndpoint();
    await expect(create(machine({ A: callback() }), { type: 'EXPRESS' })).rejects.toMatchObject({
      name: 'InvalidDefinition',
      message: expect.stringContaining(
        "/States/A/Resource: Express state machine does not support '.waitForTaskToken' service integration",
      ),
    });
  });

  it.each([
    ' ',
    '<',
    '>',
    '{',
    '}',
    '[',
    ']',
    '?',
    '*',
    '"',
    '#',
    '%',
    '\\',
    '^',
    '|',
    '~',
    '`',
    '$',
    '&',
    ',',
    ';',
    ':',
    '/',
    '\u0000',
    '\u001f',
    '\u007f',
    '\u009f',
    '\ud800',
    '\ufffe',
    '\u{10ffff}',
  ])('refuses a name with %j', async (character) => {
    const { create } = await startEndpoint();
    await expect(create(definition, { name: `a${character}b` })).rejects.toMatchObject({
      name: 'InvalidName',
    });
  });

  it('takes a name of 80 characters, with dots, hyphens and letters of any script', async () => {
    const { create } = await startEndpoint();
    const name = `a.b-c_ü日${'x'.repeat(72)}`;
    expect(await create(definition, { name })).toContain(name);
  });
});

describe('DescribeStateMachine', () => {
  it('gives the definition as it was sent, and what was configured', async () => {
    const { client, clock } = await startEndpoint();
    const written = `${definition}\n`;
    const { stateMachineArn } = await client.send(
      new CreateStateMachineCommand({
        name: 'm',
        definition: written,
        roleArn: ROLE,
        loggingConfiguration: { level: 'ERROR' },
        tracingConfiguration: { enabled: true },
      }),
    );
    expect(await client.send(new DescribeStateMachineCommand({ stateMachineArn }))).toMatchObject({
      stateMachineArn,
      name: 'm',
      status: 'ACTIVE',
      definition: written,
      roleArn: ROLE,
      type: 'STANDARD',
      creationDate: new Date(clock.nowMs()),
      loggingConfiguration: { level: 'ERROR', includeExecutionData: false },
      tracingConfiguration: { enabled: true },
    });
  });
});

describe('ListStateMachines', () => {
  it('pages through all of them', async () => {
    // Prepare
    const { client, create } = await startEndpoint();
    for (const name of ['a', 'b', 'c']) await create(definition, { name });

    // Act
    const first = await client.send(new ListStateMachinesCommand({ maxResults: 2 }));
    const second = await client.send(
      new ListStateMachinesCommand({ maxResults: 2, nextToken: first.nextToken }),
    );

    // Assess
    expect(first.stateMachines).toMatchObject([
      { name: 'a', type: 'STANDARD', stateMachineArn: expect.stringMatching(/stateMachine:a$/) },
      { name: 'b' },
    ]);
    expect(second.stateMachines).toMatchObject([{ name: 'c' }]);
    expect(second.nextToken).toBeUndefined();
  });

  it('refuses a token that it did not give', async () => {
    const { client } = await startEndpoint();
    const command = new ListStateMachinesCommand({ nextToken: 'garbage' });
    await expect(client.send(command)).rejects.toMatchObject({ name: 'InvalidToken' });
  });
});

describe('ValidateStateMachineDefinition', () => {
  it('finds nothing in a good definition', async () => {
    const { client } = await startEndpoint();
    const reply = await client.send(new ValidateStateMachineDefinitionCommand({ definition }));
    expect(reply).toMatchObject({ result: 'OK', diagnostics: [], truncated: false });
  });

  it('gives each error with its place, as many as are asked for', async () => {
    const { client } = await startEndpoint();
    const broken = JSON.stringify(machine({ A: callback({ HeartbeatSeconds: 3 }) }));
    const all = await client.send(
      new ValidateStateMachineDefinitionCommand({ definition: broken, type: 'EXPRESS' }),
    );
    expect(all).toMatchObject({
      result: 'FAIL',
      truncated: false,
      diagnostics: [
        {
          severity: 'ERROR',
          code: 'SCHEMA_VALIDATION_FAILED',
          location: '/States/A/HeartbeatSeconds',
          message: 'not supported here',
        },
        { location: '/States/A/Resource' },
      ],
    });
    const one = await client.send(
      new ValidateStateMachineDefinitionCommand({ definition: broken, type: 'EXPRESS', maxResults: 1 }),
    );
    expect(one.diagnostics).toHaveLength(1);
    expect(one.truncated).toBe(true);
  });
});
