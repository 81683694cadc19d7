/**
 * Adds to dynalite the limits that it lacks: of expressions, of sums, of an item's size in UTF-8, and of the reads and
 * writes of a key in a second. dynalite has no place for that, so functions of it are wrapped, once for the process;
 * `local/test/dynamodb/limits.test.ts` fails if a version of it no longer calls them.
 */
import db, { type DynaliteError } from 'dynalite/db/index.js';
import batchGetItem from 'dynalite/validations/batchGetItem.js';
import deleteItem from 'dynalite/validations/deleteItem.js';
import getItem from 'dynalite/validations/getItem.js';
import putItem from 'dynalite/validations/putItem.js';
import query from 'dynalite/validations/query.js';
import scan from 'dynalite/validations/scan.js';
import updateItem from 'dynalite/validations/updateItem.js';
import { type Attribute, type Attributes, itemBytes, readUnits } from './attributes.ts';
import { type KeyCapacity, THROTTLED_MESSAGE } from './capacity.ts';
import { addNumbers, numberRefusal } from './decimals.ts';
import { type ExpressionRequest, expressionRefusal } from './expression-limits.ts';

/** A part of a value that dynalite has parsed: a path, a value, or an operator with its operands. */
type Operand =
  | readonly unknown[]
  | (Attribute & { readonly type?: string; readonly args?: readonly Operand[] });

/** A request as dynalite passes it from its validation to its actions. */
export interface DynaliteRequest extends ExpressionRequest {
  readonly Key?: Attributes;
  readonly Item?: Attributes;
  readonly ConsistentRead?: boolean;
  readonly IndexName?: string;
  readonly RequestItems?: Readonly<
    Record<string, { readonly Keys: readonly Attributes[]; readonly ConsistentRead?: boolean }>
  >;
  readonly KeyConditions?: Readonly<Record<string, { readonly AttributeValueList?: readonly Attribute[] }>>;
  readonly _updates?: {
    readonly sections: readonly {
      readonly type: string;
      readonly path: readonly unknown[];
      readonly val?: Operand;
    }[];
  };
}

/** By the request, or by the key of a part of a BatchGetItem, which is passed on alone. */
const capacities = new WeakMap<object, KeyCapacity>();
let isStrict = false;

export function makeDynaliteStrict(): void {
  if (isStrict) return;
  isStrict = true;
  for (const validation of [batchGetItem, deleteItem, getItem, putItem, query, scan, updateItem]) {
    const custom = validation.custom;
    validation.custom = (request, store) => {
      const refusal = expressionRefusal(request) ?? custom(request, store);
      const { capacity } = store.options;
      if (refusal !== undefined || capacity === undefined) return refusal;
      remember(request, capacity);
      if (validation === getItem && capacity.isReadTooMuch(partitionOf(request))) throw throttled();
      return undefined;
    };
  }
  const { addConsumedCapacity, checkConditional, itemSize, queryTable } = db;
  db.itemSize = (item, ...forPages) =>
    forPages.length === 0 ? itemBytes(item) : itemSize(item, ...forPages);
  db.checkConditional = (request, item) => {
    const capacity = capacities.get(request);
    if (capacity?.isWriteTooMuch(partitionOf(request), item)) return throttled();
    const failure = checkConditional(request, item);
    if (failure) capacity?.write(partitionOf(request), item, undefined);
    const refusal = failure ? undefined : sumRefusal(request, item ?? {});
    return refusal === undefined ? failure : db.validationError(refusal);
  };
  db.addConsumedCapacity = (request, isRead, item, changed) => {
    const capacity = capacities.get(request) ?? capacities.get(request.Key ?? {});
    if (!isRead) capacity?.write(partitionOf(request), item, changed ?? item);
    else {
      const units = readUnits(item === undefined ? 0 : itemBytes(item), request.ConsistentRead ?? false);
      capacity?.read(units, partitionOf(request));
    }
    return addConsumedCapacity(request, isRead, item, changed);
  };
  db.queryTable = (store, table, request, options, isLocal, fetch, startKeyNames, finish) => {
    const capacity = capacities.get(request);
    const [condition] = Object.values(request.KeyConditions ?? {});
    const key = condition?.AttributeValueList?.[0]?.S;
    if (capacity === undefined || key === undefined) {
      queryTable(store, table, request, options, isLocal, fetch, startKeyNames, finish);
      return;
    }
    if (capacity.isReadTooMuch(key, request.IndexName)) {
      finish(throttled());
      return;
    }
    queryTable(store, table, request, options, isLocal, fetch, startKeyNames, (error, result) => {
      const bytes = (result?.Items ?? []).reduce((sum, item) => sum + itemBytes(item), 0);
      capacity.read(readUnits(bytes, request.ConsistentRead ?? false), key, request.IndexName);
      finish(error, result);
    });
  };
}

function remember(request: DynaliteRequest, capacity: KeyCapacity): void {
  capacities.set(request, capacity);
  for (const { Keys } of Object.values(request.RequestItems ?? {})) {
    for (const key of Keys) capacities.set(key, capacity);
  }
}

function partitionOf({ Key, Item }: DynaliteRequest): string {
  return (Key ?? Item)?.['pk']?.S ?? '';
}

function throttled(): DynaliteError {
  const body = { __type: 'com.amazon.coral.availability#ThrottlingException', message: THROTTLED_MESSAGE };
  return Object.assign(new Error(THROTTLED_MESSAGE), { statusCode: 400, body });
}

/** dynalite's own sums are exact, and of any length. */
function sumRefusal({ _updates }: DynaliteRequest, item: Attributes): string | undefined {
  for (const { type, path, val } of _updates?.sections ?? []) {
    const sum =
      type === 'add' ? sumOf(item[String(path[0])]?.N ?? '0', numberOf(val, item), 1) : numberOf(val, item);
    const refusal = sum === undefined ? undefined : numberRefusal(sum);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

function numberOf(operand: Operand | undefined, item: Attributes): string | undefined {
  if (operand === undefined) return undefined;
  if ('length' in operand) return item[String(operand[0])]?.N;
  const [left, right] = operand.args ?? [];
  if (operand.type === 'add') return sumOf(numberOf(left, item), numberOf(right, item), 1);
  if (operand.type === 'subtract') return sumOf(numberOf(left, item), numberOf(right, item), -1);
  return operand.type === 'function' ? (numberOf(left, item) ?? numberOf(right, item)) : operand.N;
}

function sumOf(left: string | undefined, right: string | undefined, sign: 1 | -1): string | undefined {
  return left === undefined || right === undefined ? undefined : addNumbers(left, right, sign);
}
