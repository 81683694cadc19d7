import { describe, expect, it } from 'vitest';
import { machine, pass, succeed, task, wait } from '../src/testing/index.ts';
import { lines, ofType, startEndpoint } from './harness.ts';

describe('a Pass', () => {
  it('hands its input on, and records the history that AWS records', async () => {
    // Prepare
    const { run, describe: describeExecution, history } = await startEndpoint();

    // Act
    const executionArn = await run(machine({ A: pass({ Next: 'B' }), B: pass() }), { a: 1 });

    // Assess
    expect(await describeExecution(executionArn)).toEqual({ status: 'SUCCEEDED', output: { a: 1 } });
    const events = await history(executionArn);
    expect(lines(events)).toEqual([
      '1<0 ExecutionStarted',
      '2<0 PassStateEntered',
      '3<2 PassStateExited',
      '4<3 PassStateEntered',
      '5<4 PassStateExited',
      '6<5 ExecutionSucceeded',
    ]);
    expect(events[1]?.stateEnteredEventDetails).toEqual({
      name: 'A',
      input: '{"a":1}',
      inputDetails: { truncated: false },
    });
    expect(events[0]?.executionStartedEventDetails).toEqual({
      input: '{"a":1}',
      inputDetails: { truncated: false },
      roleArn: 'arn:aws:iam::123456789012:role/local',
    });
    expect(events[5]?.executionSucceededEventDetails).toEqual({
      output: '{"a":1}',
      outputDetails: { truncated: false },
    });
  });

  it.each([
    ['a string', 'plain'],
    ['an empty string', ''],
    ['null', null],
    ['a number', 0.1],
    ['nested arrays', [1, [2, []]]],
  ])('takes %s as a literal Output', async (_what, output) => {
    const { runSync } = await startEndpoint();
    const reply = await runSync(machine({ A: pass({ Output: output }) }));
    expect(JSON.parse(reply.output ?? 'undefined')).toEqual(output);
  });

  it('keeps a field called __proto__ a field', async () => {
    const { runSync } = await startEndpoint();
    const definition =
      '{"QueryLanguage":"JSONata","StartAt":"A","States":{"A":{"Type":"Pass","End":true,"Output":{"__proto__":"{% 1 %}"}}}}';
    const reply = await runSync(definition);
    expect(reply.output).toBe('{"__proto__":1}');
  });
});

describe('Assign', () => {
  it('sees the values from before the state, and is seen from the next one on', async () => {
    // Prepare
    const { run, describe: describeExecution, history } = await startEndpoint();
    const definition = machine({
      A: pass({ Assign: { x: 1, y: 2 }, Next: 'B' }),
      B: pass({ Assign: { x: '{% $y %}', y: '{% $x %}' }, Output: { x: '{% $x %}' }, Next: 'C' }),
      C: pass({ Output: { before: '{% $states.input.x %}', x: '{% $x %}', y: '{% $y %}' } }),
    });

    // Act
    const executionArn = await run(definition);

    // Assess
    expect(await describeExecution(executionArn)).toEqual({
      status: 'SUCCEEDED',
      output: { before: 1, x: 2, y: 1 },
    });
    const [first] = ofType(await history(executionArn), 'PassStateExited');
    expect(first?.stateExitedEventDetails).toEqual({
      name: 'A',
      output: '{}',
      outputDetails: { truncated: false },
      assignedVariables: { x: '1', y: '2' },
      assignedVariablesDetails: { truncated: false },
    });
  });
});

describe('a Choice', () => {
  const definition = machine({
    A: {
      Type: 'Choice',
      Choices: [
        { Condition: "{% $states.input.is = 'one' %}", Assign: { which: 'first' }, Next: 'B' },
        { Condition: "{% $states.input.is in ['one', 'two'] %}", Output: 'second', Next: 'C' },
      ],
      Output: 'default',
      Default: 'B',
    },
    B: pass({ Output: { which: "{% $exists($which) ? $which : 'none' %}", input: '{% $states.input %}' } }),
    C: pass(),
  });

  it.each([
    [
      'the first rule that holds, with its Assign and the input as output',
      'one',
      { which: 'first', input: { is: 'one' } },
    ],
    ["a rule's Output", 'two', 'second'],
    ["the Default with the state's own Output", 'three', { which: 'none', input: 'default' }],
  ])('takes %s', async (_what, is, output) => {
    const { run, describe: describeExecution } = await startEndpoint();
    const executionArn = await run(definition, { is });
    expect(await describeExecution(executionArn)).toEqual({ status: 'SUCCEEDED', output });
  });

  it('fails with States.NoChoiceMatched when no rule holds and there is no Default', async () => {
    const { run, describe: describeExecution, history } = await startEndpoint();
    const choice = { Type: 'Choice', Choices: [{ Condition: false, Next: 'B' }] };
    const executionArn = await run(machine({ A: choice, B: pass() }));
    expect(await describeExecution(executionArn)).toMatchObject({
      status: 'FAILED',
      error: 'States.NoChoiceMatched',
      cause: expect.stringContaining("the state 'A' (entered at the event id #2)"),
    });
    expect(lines(await history(executionArn))).toEqual([
      '1<0 ExecutionStarted',
      '2<0 ChoiceStateEntered',
      '3<2 ExecutionFailed',
    ]);
  });

  it('fails with States.QueryEvaluationError when a condition is no boolean', async () => {
    const { run, describe: describeExecution } = await startEndpoint();
    const choice = { Type: 'Choice', Choices: [{ Condition: "{% 'yes' %}", Next: 'B' }], Default: 'B' };
    const executionArn = await run(machine({ A: choice, B: pass() }));
    expect(await describeExecution(executionArn)).toMatchObject({
      status: 'FAILED',
      error: 'States.QueryEvaluationError',
      cause: expect.stringContaining("Expected 'boolean', but was 'string'"),
    });
  });
});

describe('a Wait', () => {
  it.each([
    ['static', 90],
    ['dynamic', '{% $states.input.seconds %}'],
  ])('ends when its %s seconds have passed, not before', async (_what, seconds) => {
    const { run, clock, describe: describeExecution, history } = await startEndpoint();
    const executionArn = await run(machine({ A: wait({ Seconds: seconds }) }), { seconds: 90 });
    await clock.advance(89_999);
    expect(await describeExecution(executionArn)).toMatchObject({ status: 'RUNNING' });
    await clock.advance(1);
    expect(await describeExecution(executionArn)).toMatchObject({ status: 'SUCCEEDED' });
    const events = await history(executionArn);
    expect(lines(events)).toEqual([
      '1<0 ExecutionStarted',
      '2<0 WaitStateEntered',
      '3<2 WaitStateExited',
      '4<3 ExecutionSucceeded',
    ]);
    expect(events[2]?.timestamp).toEqual(new Date(clock.nowMs()));
  });

  it('waits longer than one timer of Node can', async () => {
    const { run, clock, describe: describeExecution } = await startEndpoint();
    const days = 24 * 60 * 60;
    const executionArn = await run(machine({ A: wait({ Seconds: 60 * days }) }));
    await clock.advance(59 * days * 1000);
    expect(await describeExecution(executionArn)).toMatchObject({ status: 'RUNNING' });
    await clock.advance(1 * days * 1000);
    expect(await describeExecution(executionArn)).toMatchObject({ status: 'SUCCEEDED' });
  });

  it.each([-1, 1.5, '2'])('fails when its seconds are %j', async (seconds) => {
    const { run, describe: describeExecution } = await startEndpoint();
    const executionArn = await run(machine({ A: wait({ Seconds: '{% $states.input %}' }) }), seconds);
    expect(await describeExecution(executionArn)).toMatchObject({
      status: 'FAILED',
      error: 'States.QueryEvaluationError',
    });
  });
});

describe('Succeed and Fail', () => {
  it('Succeed ends the execution with its Output', async () => {
    const { run, describe: describeExecution, history } = await startEndpoint();
    const executionArn = await run(machine({ A: { Type: 'Succeed', Output: '{% $states.input.a %}' } }), {
      a: 5,
    });
    expect(await describeExecution(executionArn)).toEqual({ status: 'SUCCEEDED', output: 5 });
    expect(lines(await history(executionArn))).toEqual([
      '1<0 ExecutionStarted',
      '2<0 SucceedStateEntered',
      '3<2 SucceedStateExited',
      '4<3 ExecutionSucceeded',
    ]);
  });

  it.each([
    ['static', { Error: 'Lost', Cause: 'It is gone' }, { error: 'Lost', cause: 'It is gone' }],
    [
      'dynamic',
      { Error: "{% 'Lo' & 'st' %}", Cause: '{% $states.input.why %}' },
      { error: 'Lost', cause: 'why' },
    ],
    ['absent', {}, {}],
  ])('Fail ends the execution with its %s Error and Cause', async (_what, fields, expected) => {
    const { run, describe: describeExecution, history } = await startEndpoint();
    const executionArn = await run(machine({ A: { Type: 'Fail', ...fields } }), { why: 'why' });
    expect(await describeExecution(executionArn)).toEqual({ status: 'FAILED', ...expected });
    const events = await history(executionArn);
    expect(lines(events)).toEqual(['1<0 ExecutionStarted', '2<0 FailStateEntered', '3<2 ExecutionFailed']);
    expect(events[2]?.executionFailedEventDetails).toEqual(expected);
  });

  it('Fail with an Error that is no string fails by that', async () => {
    const { run, describe: describeExecution } = await startEndpoint();
    const executionArn = await run(machine({ A: { Type: 'Fail', Error: '{% 1 %}' } }));
    expect(await describeExecution(executionArn)).toMatchObject({ error: 'States.QueryEvaluationError' });
  });
});

describe('an expression that fails', () => {
  it.each([
    ['Output', pass({ Output: '{% $states.input.nothing %}' }), 'Output', 'returned nothing (undefined)'],
    [
      'a field of Output',
      pass({ Output: { a: { b: '{% $states.input.nothing %}' } } }),
      'Output/a/b',
      'returned nothing',
    ],
    ['Assign', pass({ Assign: { a: '{% $states.input.nothing %}' } }), 'Assign/a', 'returned nothing'],
    [
      'an argument',
      task({ Arguments: { FunctionName: '{% $states.input.nothing %}' } }),
      'Arguments/FunctionName',
      'returned nothing',
    ],
    ['an operator', pass({ Output: "{% 1 + 'a' %}" }), 'Output', 'T2002'],
    [
      'a function as result',
      pass({ Output: '{% function($x) { $x } %}' }),
      'Output',
      'unsupported result type',
    ],
    ['$error', pass({ Output: "{% $error('stop') %}" }), 'Output', 'D3137: stop'],
  ])('in %s gives States.QueryEvaluationError and its event', async (_what, state, location, cause) => {
    // Prepare
    const { run, describe: describeExecution, history } = await startEndpoint({ work: succeed(1) });

    // Act
    const executionArn = await run(machine({ Start: pass({ Next: 'A' }), A: state }));

    // Assess
    expect(await describeExecution(executionArn)).toMatchObject({
      status: 'FAILED',
      error: 'States.QueryEvaluationError',
      cause: expect.stringContaining(cause),
    });
    const events = await history(executionArn);
    // AWS lets the event follow what the state's own entered event followed.
    expect(lines(events).slice(3)).toEqual([
      `4<3 ${state['Type']}StateEntered`,
      '5<3 EvaluationFailed',
      '6<5 ExecutionFailed',
    ]);
    expect(events[4]?.evaluationFailedEventDetails).toEqual({
      error: 'States.QueryEvaluationError',
      cause: expect.stringContaining(`specified for the field '${location}'`),
      location,
      state: 'A',
    });
  });
});

describe('the payload limit', () => {
  const bytes = 262_144;

  it('takes an output of 262,144 bytes, and fails one byte more with States.DataLimitExceeded', async () => {
    const { run, describe: describeExecution } = await startEndpoint();
    // Two bytes of the JSON are its quotes.
    const definition = machine({ A: pass({ Output: "{% $pad('', $states.input, 'x') %}" }) });
    expect(await describeExecution(await run(definition, bytes - 2))).toMatchObject({ status: 'SUCCEEDED' });
    expect(await describeExecution(await run(definition, bytes - 1))).toEqual({
      status: 'FAILED',
      error: 'States.DataLimitExceeded',
      cause:
        "The state/task 'A' returned a result with a size exceeding the maximum number of bytes service limit.",
    });
  });

  it('counts bytes, not characters', async () => {
    const { run, describe: describeExecution } = await startEndpoint();
    const definition = machine({ A: pass({ Output: "{% $pad('', 100000, '€') %}" }) });
    expect(await describeExecution(await run(definition))).toMatchObject({
      error: 'States.DataLimitExceeded',
    });
  });

  it('takes 10 MiB of variables in all, and fails a state that would add one byte', async () => {
    const { run, describe: describeExecution } = await startEndpoint();
    // Each value is its text in two quotes.
    const assigning = (name: string, size: number, Next?: string) =>
      pass({
        Assign: { [name]: `{% $pad('', ${size - 2}, 'x') %}` },
        Output: 'assigned',
        ...(Next === undefined ? {} : { Next }),
      });
    const each = 250_000;
    const left = 10 * 1024 * 1024 - 41 * each;
    const states = (last: number) =>
      machine({
        ...Object.fromEntries(
          Array.from({ length: 41 }, (_, index) => [
            `S${index}`,
            assigning(`v${index}`, each, `S${index + 1}`),
          ]),
        ),
        // Assigned anew, a variable counts once.
        S41: assigning('v1', each, 'S42'),
        S42: assigning('last', last),
      });

    const fits = await run(states(left));
    const tooMuch = await run(states(left + 1));

    expect(await describeExecution(fits)).toMatchObject({ status: 'SUCCEEDED' });
    expect(await describeExecution(tooMuch)).toMatchObject({
      status: 'FAILED',
      error: 'States.DataLimitExceeded',
    });
  });

  it('holds for variables', async () => {
    const { run, describe: describeExecution } = await startEndpoint();
    const definition = machine({ A: pass({ Assign: { a: "{% $pad('', 262144, 'x') %}" } }) });
    expect(await describeExecution(await run(definition))).toMatchObject({
      error: 'States.DataLimitExceeded',
    });
  });
});
