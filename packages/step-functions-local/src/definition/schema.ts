import { z } from 'zod';
import { jsonataSource } from './jsonata-string.ts';

/**
 * The part of the Amazon States Language that the interpreter runs. Every object is strict: a field that is
 * not here is refused, never ignored.
 */

export type StateMachineType = 'STANDARD' | 'EXPRESS';

/** AWS's limit for every number of seconds and of attempts. */
export const MAX_SECONDS = 99_999_999;
/** AWS: MaxDelaySeconds is less than 31,622,400 s, a leap year. */
const MAX_DELAY_SECONDS = 31_622_399;

export const LAMBDA_INVOKE = 'arn:aws:states:::lambda:invoke';
export const LAMBDA_INVOKE_CALLBACK = 'arn:aws:states:::lambda:invoke.waitForTaskToken';

const wholeNumber = (least: number, most: number) => {
  const error = `must be a whole number from ${least} to ${most}`;
  return z.number({ error }).int({ error }).min(least, { error }).max(most, { error });
};

const text = z.string({ error: 'must be a string' });
const nonEmptyText = text.min(1, { error: 'must not be empty' });

const jsonataString = z
  .string()
  .refine((value) => jsonataSource(value) !== undefined, { error: 'must be a JSONata string' });

/** JSON whose strings may be JSONata: handed on as it is, for its fields may have any name. */
const template = z.unknown();

const comment = text.optional();
const queryLanguage = z
  .literal('JSONata', { error: 'must be "JSONata": JSONPath is not supported here' })
  .optional();
const assign = z.record(z.string(), template, { error: 'must be an object' }).optional();
const output = template.optional();
const transition = {
  Next: nonEmptyText.optional(),
  End: z.literal(true, { error: 'must be true, or absent' }).optional(),
};

const errorEquals = z
  .array(nonEmptyText, { error: 'must be an array of error names' })
  .min(1, { error: 'must name at least one error' });

const retrier = z.strictObject({
  Comment: comment,
  ErrorEquals: errorEquals,
  IntervalSeconds: wholeNumber(1, MAX_SECONDS).optional(),
  MaxAttempts: wholeNumber(0, MAX_SECONDS).optional(),
  BackoffRate: z
    .number({ error: 'must be a number of at least 1' })
    .min(1, { error: 'must be a number of at least 1' })
    .optional(),
  MaxDelaySeconds: wholeNumber(1, MAX_DELAY_SECONDS).optional(),
  JitterStrategy: z.enum(['FULL', 'NONE'], { error: 'must be FULL or NONE' }).optional(),
});

const catcher = z.strictObject({
  Comment: comment,
  ErrorEquals: errorEquals,
  Assign: assign,
  Output: output,
  Next: nonEmptyText,
});

const taskArguments = z.strictObject({
  FunctionName: nonEmptyText,
  Payload: template.optional(),
});

const task = z.strictObject({
  Type: z.literal('Task'),
  Comment: comment,
  QueryLanguage: queryLanguage,
  Resource: z.enum([LAMBDA_INVOKE, LAMBDA_INVOKE_CALLBACK], {
    error: `this integration is not supported here: only ${LAMBDA_INVOKE} and ${LAMBDA_INVOKE_CALLBACK}`,
  }),
  Arguments: z.union([jsonataString, taskArguments]),
  TimeoutSeconds: z.union([wholeNumber(1, MAX_SECONDS), jsonataString], {
    error: `must be a whole number from 1 to ${MAX_SECONDS}, or a JSONata string`,
  }),
  Assign: assign,
  Output: output,
  Retry: z.array(retrier, { error: 'must be an array of retriers' }).optional(),
  Catch: z.array(catcher, { error: 'must be an array of catchers' }).optional(),
  ...transition,
});

const pass = z.strictObject({
  Type: z.literal('Pass'),
  Comment: comment,
  QueryLanguage: queryLanguage,
  Assign: assign,
  Output: output,
  ...transition,
});

const choiceRule = z.strictObject({
  Comment: comment,
  Condition: z.union([z.boolean(), jsonataString], { error: 'must be a boolean or a JSONata string' }),
  Assign: assign,
  Output: output,
  Next: nonEmptyText,
});

const choice = z.strictObject({
  Type: z.literal('Choice'),
  Comment: comment,
  QueryLanguage: queryLanguage,
  Choices: z
    .array(choiceRule, { error: 'must be an array of rules' })
    .min(1, { error: 'must hold at least one rule' }),
  Default: nonEmptyText.optional(),
  // Not the state's own Assign: AWS's documentation has it apply whichever rule matches, where the state's own
  // Output only counts for the Default. What AWS does was not found, so the rules' Assign has to do.
  Output: output,
});

const wait = z.strictObject({
  Type: z.literal('Wait'),
  Comment: comment,
  QueryLanguage: queryLanguage,
  Seconds: z.union([wholeNumber(0, MAX_SECONDS), jsonataString], {
    error: `must be a whole number from 0 to ${MAX_SECONDS}, or a JSONata string`,
  }),
  Assign: assign,
  Output: output,
  ...transition,
});

const succeed = z.strictObject({
  Type: z.literal('Succeed'),
  Comment: comment,
  QueryLanguage: queryLanguage,
  Output: output,
});

const fail = z.strictObject({
  Type: z.literal('Fail'),
  Comment: comment,
  QueryLanguage: queryLanguage,
  Error: text.optional(),
  Cause: text.optional(),
});

export const STATE_SCHEMAS = {
  Task: task,
  Pass: pass,
  Choice: choice,
  Wait: wait,
  Succeed: succeed,
  Fail: fail,
};

const stateName = z.string().min(1).max(80, { error: 'a state’s name has at most 80 characters' });

export const definitionSchema = z.strictObject({
  Comment: comment,
  QueryLanguage: z.literal('JSONata', { error: 'must be "JSONata": JSONPath is not supported here' }),
  Version: z.literal('1.0', { error: 'must be "1.0"' }).optional(),
  TimeoutSeconds: wholeNumber(1, MAX_SECONDS).optional(),
  StartAt: nonEmptyText,
  States: z.record(stateName, z.discriminatedUnion('Type', [task, pass, choice, wait, succeed, fail]), {
    error: 'must be an object of states',
  }),
});

export type Definition = z.infer<typeof definitionSchema>;
export type StateDefinition = Definition['States'][string];
export type Retrier = z.infer<typeof retrier>;
export type Catcher = z.infer<typeof catcher>;
