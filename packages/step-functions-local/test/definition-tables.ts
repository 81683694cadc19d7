import { callback, machine, pass, task, wait } from '../src/testing/index.ts';

const retrier = (fields: Record<string, unknown> = {}) => ({ ErrorEquals: ['Boom'], ...fields });
const withRetry = (...retriers: unknown[]) => machine({ A: task({ Retry: retriers }) });
const withOutput = (output: unknown) => machine({ A: pass({ Output: output }) });

/** What is wrong, the definition, and the errors as `path: part of the message`, all of them. */
export const broken: readonly (readonly [string, unknown, readonly string[]])[] = [
  ['no object', 'hello', ['/: is not what']],
  ['nothing in it', {}, ['/QueryLanguage: is required', '/StartAt: is required', '/States: is required']],
  ['no states', machine({}, { StartAt: 'A' }), ['/States: at least one', '/StartAt: no state "A"']],
  [
    'no query language',
    machine({ A: pass() }, { QueryLanguage: undefined }),
    ['/QueryLanguage: is required'],
  ],
  [
    'JSONPath as a whole',
    machine({ A: pass() }, { QueryLanguage: 'JSONPath' }),
    ['/QueryLanguage: JSONPath is not supported here'],
  ],
  [
    'JSONPath in one state',
    machine({ A: pass({ QueryLanguage: 'JSONPath' }) }),
    ['/States/A/QueryLanguage: JSONPath is not supported here'],
  ],
  [
    'fields of JSONPath',
    machine({ A: task({ ResultPath: '$.a', Parameters: {} }) }),
    ['/States/A/ResultPath: JSONPath', '/States/A/Parameters: JSONPath'],
  ],
  ['Result in a JSONata Pass', machine({ A: pass({ Result: 1 }) }), ['/States/A/Result: JSONPath']],
  ['an unknown field', machine({ A: pass({ Retries: 3 }) }), ['/States/A/Retries: not supported here']],
  [
    'an unknown field of the machine',
    machine({ A: pass() }, { Timeout: 3 }),
    ['/Timeout: not supported here'],
  ],
  [
    'a heartbeat',
    machine({ A: task({ HeartbeatSeconds: 5 }) }),
    ['/States/A/HeartbeatSeconds: not supported here'],
  ],
  [
    'credentials',
    machine({ A: task({ Credentials: { RoleArn: 'arn:x' } }) }),
    ['/States/A/Credentials: not supported here'],
  ],
  [
    'a Timestamp',
    machine({ A: { Type: 'Wait', Timestamp: '2026-01-01T00:00:00Z', End: true } }),
    ['/States/A/Seconds: is required', '/States/A/Timestamp: not supported here'],
  ],
  [
    'a Map',
    machine({ A: { Type: 'Map', Items: [], ItemProcessor: machine({ B: pass() }), End: true } }),
    ['/States/A/Type: "Map" is not supported here'],
  ],
  [
    'a Parallel',
    machine({ A: { Type: 'Parallel', Branches: [machine({ B: pass() })], End: true } }),
    ['/States/A/Type: "Parallel" is not supported here'],
  ],
  [
    'a type that nobody has',
    machine({ A: { Type: 'Taks', End: true } }),
    ['/States/A/Type: "Taks" is not supported here'],
  ],
  [
    'another integration',
    machine({ A: task({ Resource: 'arn:aws:states:::sqs:sendMessage' }) }),
    ['/States/A/Resource: integration is not supported here'],
  ],
  [
    'an integration that nobody has',
    machine({ A: task({ Resource: 'arn:aws:states:::lambda:invok' }) }),
    ['/States/A/Resource: integration is not supported here'],
  ],
  [
    'a function as Resource',
    machine({ A: task({ Resource: 'arn:aws:lambda:us-east-1:123456789012:function:f' }) }),
    ['/States/A/Resource: integration is not supported here'],
  ],
  [
    'an argument that is not passed on',
    machine({ A: task({ Arguments: { FunctionName: 'f', Qualifier: '1' } }) }),
    ['/States/A/Arguments/Qualifier: not supported here'],
  ],
  [
    'no FunctionName',
    machine({ A: task({ Arguments: { Payload: 1 } }) }),
    ['/States/A/Arguments/FunctionName: is required'],
  ],
  [
    'a FunctionName that is no string',
    machine({ A: task({ Arguments: { FunctionName: { Ref: 'f' } } }) }),
    ['/States/A/Arguments/FunctionName: must be a string'],
  ],
  [
    'a task without a time-out',
    machine({ A: task({ TimeoutSeconds: undefined }) }),
    ['/States/A/TimeoutSeconds: is required'],
  ],
  [
    'time-outs of no length',
    machine({ A: task({ TimeoutSeconds: 0 }) }, { TimeoutSeconds: 1.5 }),
    ['/TimeoutSeconds: whole number from 1', '/States/A/TimeoutSeconds: whole number from 1'],
  ],
  ['a negative wait', machine({ A: wait({ Seconds: -1 }) }), ['/States/A/Seconds: whole number from 0']],
  [
    'a start that is not there',
    machine({ A: pass() }, { StartAt: 'B' }),
    ['/StartAt: no state "B"', '/States/A: cannot be reached'],
  ],
  [
    'a Next that is not there',
    machine({ A: pass({ Next: 'B' }), C: pass() }),
    [
      '/States/A/Next: no state "B"',
      '/States/C: cannot be reached',
      '/States: no state that can be reached ends',
    ],
  ],
  [
    'a Default and a rule that lead nowhere',
    machine({ A: { Type: 'Choice', Choices: [{ Condition: true, Next: 'B' }], Default: 'C' } }),
    [
      '/States/A/Default: no state "C"',
      '/States/A/Choices/0/Next: no state "B"',
      '/States: no state that can be reached ends',
    ],
  ],
  [
    'a Catch that leads nowhere',
    machine({ A: task({ Catch: [{ ErrorEquals: ['X'], Next: 'B' }] }) }),
    ['/States/A/Catch/0/Next: no state "B"'],
  ],
  [
    'both Next and End',
    machine({ A: pass({ Next: 'B', End: true }), B: pass() }),
    ['/States/A: exactly one of Next and End'],
  ],
  [
    'neither Next nor End',
    machine({ A: { Type: 'Pass' } }),
    ['/States/A: exactly one of Next and End', '/States: no state that can be reached ends'],
  ],
  [
    'End: false',
    machine({ A: { Type: 'Pass', End: false } }),
    ['/States/A/End: must be true', '/States: no state that can be reached ends'],
  ],
  ['a state that is not reached', machine({ A: pass(), B: pass() }), ['/States/B: cannot be reached']],
  [
    'states that only reach each other',
    machine({ A: pass(), B: pass({ Next: 'C' }), C: pass({ Next: 'B' }) }),
    ['/States/B: cannot be reached', '/States/C: cannot be reached'],
  ],
  [
    'no end',
    machine({ A: pass({ Next: 'B' }), B: pass({ Next: 'A' }) }),
    ['/States: no state that can be reached ends'],
  ],
  [
    'a Choice without rules',
    machine({ A: { Type: 'Choice', Choices: [], Default: 'B' }, B: pass() }),
    ['/States/A/Choices: at least one rule'],
  ],
  [
    'a Choice with Next',
    machine({ A: { Type: 'Choice', Choices: [{ Condition: true, Next: 'B' }], Next: 'B' }, B: pass() }),
    ['/States/A/Next: not supported here'],
  ],
  [
    'a rule of JSONPath',
    machine({ A: { Type: 'Choice', Choices: [{ Variable: '$.a', IsNull: true, Next: 'B' }] }, B: pass() }),
    [
      '/States/A/Choices/0/Condition: is required',
      '/States/A/Choices/0/Variable: JSONPath',
      '/States/A/Choices/0/IsNull: not supported here',
    ],
  ],
  [
    'Assign of a Choice itself',
    machine({
      A: { Type: 'Choice', Choices: [{ Condition: true, Next: 'B' }], Default: 'B', Assign: { a: 1 } },
      B: pass(),
    }),
    ['/States/A/Assign: not supported here'],
  ],
  [
    'Succeed with Assign',
    machine({ A: { Type: 'Succeed', Assign: { a: 1 } } }),
    ['/States/A/Assign: not supported here'],
  ],
  ['Fail with Output', machine({ A: { Type: 'Fail', Output: 1 } }), ['/States/A/Output: not supported here']],
  [
    'a name of 81 characters',
    machine({ ['A'.repeat(81)]: pass() }),
    [`/States/${'A'.repeat(81)}: at most 80 characters`],
  ],
  [
    'States.ALL in company',
    withRetry(retrier({ ErrorEquals: ['States.ALL', 'Boom'] })),
    ['/States/A/Retry/0/ErrorEquals: stand alone'],
  ],
  [
    'States.ALL in Retry, not last',
    withRetry(retrier({ ErrorEquals: ['States.ALL'] }), retrier()),
    ['/States/A/Retry/0/ErrorEquals: come last'],
  ],
  [
    'States.ALL in Catch, not last',
    machine({
      A: task({
        Catch: [
          { ErrorEquals: ['States.ALL'], Next: 'B' },
          { ErrorEquals: ['X'], Next: 'B' },
        ],
      }),
      B: pass(),
    }),
    ['/States/A/Catch/0/ErrorEquals: come last'],
  ],
  [
    'an error that Step Functions does not have',
    withRetry(retrier({ ErrorEquals: ['States.TimeOut'] })),
    ['/States/A/Retry/0/ErrorEquals/0: no error States.TimeOut'],
  ],
  [
    'no error names',
    withRetry(retrier({ ErrorEquals: [] })),
    ['/States/A/Retry/0/ErrorEquals: at least one error'],
  ],
  [
    'numbers out of range',
    withRetry(
      retrier({ IntervalSeconds: 0, MaxAttempts: -1, BackoffRate: 0.5, MaxDelaySeconds: 31_622_400 }),
    ),
    [
      '/States/A/Retry/0/IntervalSeconds: from 1',
      '/States/A/Retry/0/MaxAttempts: from 0',
      '/States/A/Retry/0/BackoffRate: at least 1',
      '/States/A/Retry/0/MaxDelaySeconds: from 1 to 31622399',
    ],
  ],
  [
    'an unknown jitter',
    withRetry(retrier({ JitterStrategy: 'HALF' })),
    ['/States/A/Retry/0/JitterStrategy: FULL or NONE'],
  ],
  [
    'an unknown field of a retrier',
    withRetry(retrier({ Interval: 3 })),
    ['/States/A/Retry/0/Interval: not supported here'],
  ],
  [
    'an unknown field of a catcher',
    machine({ A: task({ Catch: [{ ErrorEquals: ['X'], ResultPath: '$', Next: 'B' }] }), B: pass() }),
    ['/States/A/Catch/0/ResultPath: JSONPath'],
  ],
  ['Retry in a Pass', machine({ A: pass({ Retry: [] }) }), ['/States/A/Retry: not supported here']],
  [
    'an expression that is no JSONata',
    withOutput({ deep: [{ a: '{% 1 + %}' }] }),
    ['/States/A/Output/deep/0/a: is no JSONata'],
  ],
  ['an empty expression', withOutput('{% %}'), ['/States/A/Output: is no JSONata']],
  [
    'JSONata in the middle of a string',
    withOutput({ a: 'Hello {% $states.input.name %}!' }),
    ['/States/A/Output/a: must be the whole string'],
  ],
  [
    'a variable that nobody assigns',
    withOutput('{% $count + $nowhere %}'),
    ['/States/A/Output: $nowhere is undefined'],
  ],
  [
    'a variable that only its own state assigns',
    machine({ A: pass({ Assign: { a: 1 }, Output: '{% $a %}' }) }),
    ['/States/A/Output: $a is undefined'],
  ],
  [
    'a variable that is assigned later',
    machine({ A: pass({ Output: '{% $a %}', Next: 'B' }), B: pass({ Assign: { a: 1 } }) }),
    ['/States/A/Output: $a is undefined'],
  ],
  [
    'a variable of a path that did not catch',
    machine({
      A: task({ Assign: { a: 1 }, Catch: [{ ErrorEquals: ['X'], Next: 'B' }], Next: 'C' }),
      B: pass({ Output: '{% $a %}' }),
      C: pass({ Output: '{% $a %}' }),
    }),
    ['/States/B/Output: $a is undefined'],
  ],
  [
    'a function that does not exist',
    withOutput('{% $uppercas("a") %}'),
    ['/States/A/Output: $uppercas is undefined'],
  ],
  ['$eval', withOutput('{% $eval("1") %}'), ['/States/A/Output: no $eval']],
  [
    'a field without $states.input',
    withOutput("{% status = 'CONNECTED' %}"),
    ['/States/A/Output: write $states.input.status'],
  ],
  [
    '$ and $$ where nothing is the context',
    withOutput({ a: '{% $.x %}', b: '{% $$.x %}' }),
    ['/States/A/Output/a: $ is undefined', '/States/A/Output/b: $$ is undefined'],
  ],
  [
    '$states.result in a Pass',
    withOutput('{% $states.result %}'),
    ['/States/A/Output: $states.result does not exist here'],
  ],
  [
    '$states.result in Arguments and in Catch',
    machine({
      A: task({
        Arguments: { FunctionName: 'f', Payload: '{% $states.result %}' },
        Catch: [{ ErrorEquals: ['X'], Output: '{% $states.result %}', Next: 'B' }],
      }),
      B: pass(),
    }),
    [
      '/States/A/Arguments/Payload: $states.result does not exist',
      '/States/A/Catch/0/Output: $states.result does not exist',
    ],
  ],
  [
    '$states.errorOutput outside of Catch',
    machine({ A: task({ Output: '{% $states.errorOutput %}' }) }),
    ['/States/A/Output: $states.errorOutput does not exist'],
  ],
  [
    'a field that $states does not have',
    withOutput('{% $states.output %}'),
    ['/States/A/Output: $states.output does not exist'],
  ],
  [
    'a field that the context does not have',
    withOutput({ a: '{% $states.context.Execution.Nam %}', b: '{% $states.context.Map %}' }),
    [
      '/States/A/Output/a: $states.context.Execution.Nam does not exist',
      '/States/A/Output/b: $states.context.Map does not exist',
    ],
  ],
  [
    'a token without a callback',
    machine({ A: task({ Arguments: { FunctionName: 'f', Payload: '{% $states.context.Task.Token %}' } }) }),
    ['/States/A/Arguments/Payload: $states.context.Task does not exist'],
  ],
  [
    'a token outside of Arguments',
    machine({ A: callback({ Output: '{% $states.context.Task.Token %}' }) }),
    ['/States/A/Output: $states.context.Task does not exist'],
  ],
  [
    'RetryCount outside of a Task',
    withOutput('{% $states.context.State.RetryCount %}'),
    ['/States/A/Output: only in a Task'],
  ],
  [
    'names that no variable can have',
    machine({ A: pass({ Assign: { states: 1, '1a': 1, 'a-b': 1 } }) }),
    ['/States/A/Assign/states: no name', '/States/A/Assign/1a: no name', '/States/A/Assign/a-b: no name'],
  ],
  [
    'Assign that is no object',
    machine({ A: pass({ Assign: 'x' }) }),
    ['/States/A/Assign: must be an object'],
  ],
];

export const good: readonly (readonly [string, unknown])[] = [
  [
    'a callback that times out dynamically',
    machine({ A: callback({ TimeoutSeconds: '{% $states.input.seconds %}' }) }),
  ],
  [
    'literal outputs of every kind',
    machine({
      A: pass({ Output: 'plain', Next: 'B' }),
      B: pass({ Output: 3, Next: 'C' }),
      C: pass({ Output: null, Next: 'D' }),
      D: pass({ Output: [1, [2, []], ''], Next: 'E' }),
      E: pass({ Output: false, Next: 'F' }),
      F: pass({ Output: { a: '', b: {}, Next: 'Nowhere' } }),
    }),
  ],
  ['an expression over several lines', withOutput('{%\n  (\n    $x := 1;\n    $x + 1\n  )\n%}')],
  ['an expression without spaces', withOutput('{%1%}')],
  [
    'a boolean Condition',
    machine({ A: { Type: 'Choice', Choices: [{ Condition: true, Next: 'B' }] }, B: pass() }),
  ],
  [
    'every field that is supported',
    machine(
      {
        A: task({
          Comment: 'c',
          QueryLanguage: 'JSONata',
          Assign: { a: '{% $states.result.Payload %}' },
          Output: '{% $states.result %}',
          Retry: [
            retrier({
              Comment: 'c',
              IntervalSeconds: 1,
              MaxAttempts: 0,
              BackoffRate: 1.5,
              MaxDelaySeconds: 9,
              JitterStrategy: 'FULL',
            }),
            retrier({ ErrorEquals: ['States.ALL'] }),
          ],
          Catch: [
            {
              Comment: 'c',
              ErrorEquals: ['States.ALL'],
              Assign: { b: '{% $states.errorOutput.Cause %}' },
              Output: {},
              Next: 'E',
            },
          ],
          Next: 'B',
        }),
        B: {
          Type: 'Choice',
          Comment: 'c',
          Output: {},
          Choices: [{ Comment: 'c', Condition: '{% $a = 1 %}', Assign: { e: 1 }, Output: {}, Next: 'C' }],
          Default: 'C',
        },
        C: wait({ Comment: 'c', Seconds: '{% $e %}', Assign: { f: 1 }, Output: {}, Next: 'D' }),
        D: { Type: 'Succeed', Comment: 'c', Output: '{% $f %}' },
        E: { Type: 'Fail', Comment: 'c', Error: '{% $b %}', Cause: 'plain' },
      },
      { Comment: 'c', Version: '1.0', TimeoutSeconds: 60 },
    ),
  ],
  [
    'names that the expression defines itself',
    withOutput({
      lambda: '{% $map($states.input.list, function($v, $i) { $v.name & $i }) %}',
      recursive: '{% ($f := function($n) { $n < 1 ? 0 : $f($n - 1) }; $f(3)) %}',
      focus: '{% $states.input.orders@$o.lines#$i.{ "id": $o.id, "at": $i } %}',
      context: '{% $states.input.list[price > 5].{ "p": price, "all": $ }^(p){ $string(p): $sum(p) } %}',
      transform: '{% $states.input ~> |list|{ "price": price * 2 }, ["tax"]| %}',
      chain: '{% $states.input.list.price ~> $sum() ~> function($x) { $x + 1 } %}',
      wholeStates: '{% $string($states) %}',
    }),
  ],
  [
    "Step Functions' own functions",
    withOutput(
      '{% [$uuid(), $random(1), $parse("1"), $hash("a", "MD5"), $partition([1], 1), $range(1, 2, 1)] %}',
    ),
  ],
  [
    'a variable with the name of a function',
    machine({ A: pass({ Assign: { error: 1 }, Next: 'B' }), B: pass({ Output: '{% $error %}' }) }),
  ],
  [
    'a variable of a loop',
    machine({
      A: {
        Type: 'Choice',
        Choices: [{ Condition: '{% $exists($n) and $n > 3 %}', Next: 'C' }],
        Default: 'B',
      },
      B: pass({ Assign: { n: '{% $exists($n) ? $n + 1 : 0 %}' }, Next: 'A' }),
      C: pass(),
    }),
  ],
];
