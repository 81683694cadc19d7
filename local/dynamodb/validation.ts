/**
 * Whether DynamoDB would take a request, as far as the request alone can tell, and in its words: dynalite's validation of
 * expressions, keys and values (reserved words, placeholders that are not used, paths that overlap, empty sets and keys,
 * …) for the table in memory, with the limits that dynalite lacks.
 */
import { DynamoDBServiceException } from '@aws-sdk/client-dynamodb';
import db from 'dynalite/db/index.js';
import validations from 'dynalite/validations/index.js';
import { type Attribute, type Attributes, isTooLarge } from './attributes.ts';
import { numberRefusal } from './decimals.ts';
import { type ExpressionRequest, expressionRefusal } from './expression-limits.ts';

export const INDEX_KEY = 'openIn';

/** The one table of the service, as `resources/table.yml` defines it. */
const TABLE = {
  AttributeDefinitions: ['pk', 'sk', INDEX_KEY].map((AttributeName) => ({
    AttributeName,
    AttributeType: 'S',
  })),
  KeySchema: [
    { AttributeName: 'pk', KeyType: 'HASH' },
    { AttributeName: 'sk', KeyType: 'RANGE' },
  ],
  GlobalSecondaryIndexes: [
    {
      IndexName: 'OpenWindows',
      KeySchema: [
        { AttributeName: INDEX_KEY, KeyType: 'HASH' },
        { AttributeName: 'pk', KeyType: 'RANGE' },
      ],
    },
  ],
};

export interface WriteRequest extends ExpressionRequest {
  readonly ExpressionAttributeValues?: Attributes | undefined;
}

/** Sessions' keys are shorter than this. */
const USUAL_KEY_LENGTH = 255;

/** @throws DynamoDBServiceException ValidationException */
export function validateKey(key: Attributes): void {
  const isUsual = (text = '') => text.length > 0 && text.length <= USUAL_KEY_LENGTH;
  if (isUsual(key['pk']?.S) && isUsual(key['sk']?.S) && Object.keys(key).length === 2) return;
  validateValues(key);
  refuse(db.validateKey(key, TABLE)?.body.message);
}

/** @throws DynamoDBServiceException ValidationException */
export function validatePut(item: Attributes, request: WriteRequest): void {
  validateValues(item);
  if (isTooLarge(item)) refuse('Item size has exceeded the maximum allowed size');
  validateExpressions(request, ['ConditionExpression']);
  refuse(db.validateItem(item, TABLE)?.body.message);
}

/** @throws DynamoDBServiceException ValidationException */
export function validateUpdate(key: Attributes, request: WriteRequest): void {
  validateExpressions(request, ['UpdateExpression', 'ConditionExpression']);
  validateKey(key);
}

/** Of the item that an update makes. @throws DynamoDBServiceException ValidationException */
export function validateUpdated(item: Attributes): void {
  if (isTooLarge(item)) refuse('Item size to update has exceeded the maximum allowed size');
}

/** @throws DynamoDBServiceException ValidationException */
export function validateQuery(request: WriteRequest): void {
  validateExpressions(request, ['KeyConditionExpression']);
}

/** @throws DynamoDBServiceException ValidationException */
export function refuse(message: string | undefined): void {
  if (message === undefined) return;
  throw new DynamoDBServiceException({
    name: 'ValidationException',
    $fault: 'client',
    message,
    $metadata: { httpStatusCode: 400 },
  });
}

function validateValues(attributes: Attributes): void {
  for (const value of Object.values(attributes)) refuse(valueRefusal(value));
}

/** Most values are no matter for dynalite, which takes its time. */
function valueRefusal(value: Attribute): string | undefined {
  if (value.S !== undefined || value.BOOL !== undefined) return undefined;
  return value.N === undefined ? validations.validateAttributeValue(value) : numberRefusal(value.N);
}

/** dynalite parses anew each time; the same expression with the same types has the same verdict. */
const verdicts = new Map<string, string | undefined>();
const MAX_VERDICTS = 2000;

function validateExpressions(request: WriteRequest, kinds: string[]): void {
  const { ExpressionAttributeNames: names, ExpressionAttributeValues: values } = request;
  for (const [key, value] of Object.entries(values ?? {})) {
    const message = valueRefusal(value);
    if (message !== undefined) {
      refuse(`ExpressionAttributeValues contains invalid value: ${message} for key ${key}`);
    }
  }
  const { UpdateExpression, ConditionExpression, KeyConditionExpression } = request;
  let id = `${UpdateExpression}\n${ConditionExpression}\n${KeyConditionExpression}\n`;
  for (const key in names) id += `${key} ${names[key]}\n`;
  for (const key in values) id += `${key} ${Object.keys(values[key] ?? {})}\n`;
  if (!verdicts.has(id)) {
    if (verdicts.size >= MAX_VERDICTS) verdicts.clear();
    verdicts.set(id, verdictOf(request, kinds));
  }
  refuse(verdicts.get(id));
}

function verdictOf(request: WriteRequest, kinds: string[]): string | undefined {
  const parsed: WriteRequest & { readonly _updates?: unknown } = { ...request };
  return (
    expressionRefusal(request) ??
    validations.validateExpressionParams(parsed, kinds, []) ??
    validations.validateExpressions(parsed) ??
    db.validateUpdates(undefined, parsed._updates, TABLE)?.body.message
  );
}
