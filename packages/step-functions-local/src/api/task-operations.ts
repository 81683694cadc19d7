import { isTooLarge, MAX_PAYLOAD_BYTES, parseDocument } from '../engine/document.ts';
import type { TaskAnswer } from '../engine/task-tokens.ts';
import type { Request } from './requests.ts';
import type { ServerContext } from './server-context.ts';
import { ServiceError } from './service-error.ts';

export function sendTaskSuccess(context: ServerContext, request: Request<'SendTaskSuccess'>): unknown {
  if (isTooLarge(request.output)) {
    throw new ServiceError('InvalidOutput', `Invalid Output: 'It is larger than ${MAX_PAYLOAD_BYTES} bytes'`);
  }
  try {
    parseDocument(request.output);
  } catch {
    throw new ServiceError('InvalidOutput', "Invalid Output: 'It is not valid JSON'");
  }
  answer(context, request.taskToken, { kind: 'success', outputText: request.output });
  return {};
}

export function sendTaskFailure(context: ServerContext, request: Request<'SendTaskFailure'>): unknown {
  const { error, cause } = request;
  answer(context, request.taskToken, { kind: 'failure', errorName: error, causeText: cause });
  return {};
}

function answer(context: ServerContext, token: string, taskAnswer: TaskAnswer): void {
  const { tokens } = context.engine;
  if (tokens.answer(token, taskAnswer)) return;
  const executionArn = tokens.executionArn(token);
  if (executionArn === undefined) throw new ServiceError('InvalidToken', "Invalid Token: 'Invalid token'");
  if (context.executions.get(executionArn) === undefined) {
    throw new ServiceError('TaskDoesNotExist', "Task Does Not Exist: 'Its execution does not exist anymore'");
  }
  throw new ServiceError('TaskTimedOut', "Task Timed Out: 'Provided task does not exist anymore'");
}
