/** Builders of definitions: what a test does not name is a valid default. */

type Fields = Record<string, unknown>;

export function machine(states: Record<string, Fields>, fields: Fields = {}): Fields {
  return { QueryLanguage: 'JSONata', StartAt: Object.keys(states)[0], States: states, ...fields };
}

export function task(fields: Fields = {}): Fields {
  return {
    Type: 'Task',
    Resource: 'arn:aws:states:::lambda:invoke',
    Arguments: { FunctionName: 'work', Payload: '{% $states.input %}' },
    TimeoutSeconds: 10,
    ...('Next' in fields ? {} : { End: true }),
    ...fields,
  };
}

export function callback(fields: Fields = {}): Fields {
  return task({
    Resource: 'arn:aws:states:::lambda:invoke.waitForTaskToken',
    Arguments: { FunctionName: 'register', Payload: { token: '{% $states.context.Task.Token %}' } },
    ...fields,
  });
}

export function pass(fields: Fields = {}): Fields {
  return { Type: 'Pass', ...('Next' in fields ? {} : { End: true }), ...fields };
}

export function wait(fields: Fields = {}): Fields {
  return { Type: 'Wait', Seconds: 60, ...('Next' in fields ? {} : { End: true }), ...fields };
}
