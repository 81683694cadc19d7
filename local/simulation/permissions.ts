import type { ClientName, Clients } from '../../functions/shared/runtime/definition.ts';
import type { Permission } from '../service/service.ts';
import type { SentCommand } from './send-through.ts';

/** How IAM names the service behind each client. */
export const IAM_SERVICES: Readonly<Record<ClientName, string>> = {
  documents: 'dynamodb',
  eventBridge: 'events',
  gameLiftStreams: 'gameliftstreams',
  sqs: 'sqs',
  stepFunctions: 'states',
  stepFunctionsSingleAttempt: 'states',
};

/** IAM's names where a command has another: the document client's, and SQS's batches, which are authorised one by one. */
const OPERATIONS: Readonly<Record<string, string>> = {
  'dynamodb:Get': 'dynamodb:GetItem',
  'dynamodb:Put': 'dynamodb:PutItem',
  'dynamodb:Update': 'dynamodb:UpdateItem',
  'dynamodb:Delete': 'dynamodb:DeleteItem',
  'dynamodb:BatchGet': 'dynamodb:BatchGetItem',
  'dynamodb:BatchWrite': 'dynamodb:BatchWriteItem',
  'sqs:ChangeMessageVisibilityBatch': 'sqs:ChangeMessageVisibility',
  'sqs:SendMessageBatch': 'sqs:SendMessage',
};

/** Returns the IAM action behind a command, such as `dynamodb:GetItem` for the document client's `GetCommand`. */
export function iamActionOf(service: string, command: string): string {
  const action = `${service}:${command.replace(/Command$/, '')}`;
  return OPERATIONS[action] ?? action;
}

/** What a condition may look at: the values of each key. A request of several entries is authorised for each entry. */
type Context = Readonly<Record<string, readonly string[]>>;

/**
 * Returns clients that refuse what the function's role does not allow, as AWS does: by action and by condition. Which resources
 * a role names is compared with the template in `test/package/permissions.test.ts`.
 */
export function confineTo(permissions: readonly Permission[], clients: Clients): Clients {
  const confine = <Client extends { readonly send: unknown }>(name: ClientName, client: Client): Client => {
    const send = (command: SentCommand, ...others: readonly unknown[]) => {
      const action = iamActionOf(IAM_SERVICES[name], command.constructor.name);
      const contexts = contextsOf(command.input);
      if (
        !contexts.every((context) => permissions.some((permission) => allows(permission, action, context)))
      ) {
        return Promise.reject(new AccessDeniedException(action, contexts));
      }
      const original: unknown = client.send;
      if (typeof original !== 'function') throw new TypeError('A client has a method send.');
      return Reflect.apply(original, client, [command, ...others]);
    };
    return new Proxy(client, {
      get: (target, member) => (member === 'send' ? send : Reflect.get(target, member, target)),
    });
  };
  return {
    documents: confine('documents', clients.documents),
    eventBridge: confine('eventBridge', clients.eventBridge),
    gameLiftStreams: confine('gameLiftStreams', clients.gameLiftStreams),
    sqs: confine('sqs', clients.sqs),
    stepFunctions: confine('stepFunctions', clients.stepFunctions),
    stepFunctionsSingleAttempt: confine('stepFunctionsSingleAttempt', clients.stepFunctionsSingleAttempt),
  };
}

function allows({ actions, conditions }: Permission, action: string, context: Context): boolean {
  return (
    actions.includes(action) &&
    conditions.every(({ key, patterns }) => {
      const values = context[key];
      // DynamoDB gives the keys of every request that has some; a query of an index has none of the table's.
      if (values === undefined) return false;
      return values.every((value) => patterns.some((pattern) => isLike(value, pattern)));
    })
  );
}

function isLike(value: string, pattern: string): boolean {
  const [start = '', ...rest] = pattern.split('*');
  return rest.length === 0 ? value === pattern : value.startsWith(start);
}

function contextsOf(input: unknown): Context[] {
  const entries = memberOf(input, 'Entries');
  if (Array.isArray(entries) && memberOf(entries[0], 'DetailType') !== undefined) {
    return entries.map((entry: unknown) => ({
      'events:source': [String(memberOf(entry, 'Source'))],
      'events:detail-type': [String(memberOf(entry, 'DetailType'))],
    }));
  }
  const items = Object.values(memberOf(input, 'RequestItems') ?? {}).flatMap((of: unknown) =>
    memberOf(of, 'Keys'),
  );
  const keys = [memberOf(input, 'Key'), memberOf(input, 'Item'), ...items].filter((key) => key !== undefined);
  return [
    keys.length === 0 ? {} : { 'dynamodb:LeadingKeys': keys.map((key) => String(memberOf(key, 'pk'))) },
  ];
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

/** As DynamoDB and the others refuse: it is not worth a repeat. */
class AccessDeniedException extends Error {
  override readonly name = 'AccessDeniedException';
  readonly $fault = 'client';
  readonly $metadata = { httpStatusCode: 400 };
  constructor(action: string, contexts: readonly Context[]) {
    super(`The function's role does not allow ${action} with ${JSON.stringify(contexts)}.`);
  }
}
