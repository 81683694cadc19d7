declare module 'dynalite' {
  import type { Server } from 'node:http';

  interface DynaliteOptions {
    /** How long tables stay in their CREATING, DELETING and UPDATING states; dynalite's own default is 500. */
    createTableMs?: number;
    deleteTableMs?: number;
    updateTableMs?: number;
    /** Not dynalite's: it keeps what it does not know among the options of its store. */
    capacity?: import('./capacity.ts').KeyCapacity;
  }

  /** An in-memory DynamoDB that is not listening yet. */
  export default function dynalite(options?: DynaliteOptions): Server;
}

/** What dynalite's actions call through this object, each time anew. */
declare module 'dynalite/db/index.js' {
  type Attributes = import('./attributes.ts').Attributes;
  type DynaliteRequest = import('./strict-dynalite.ts').DynaliteRequest;

  export interface DynaliteError extends Error {
    statusCode: number;
    body: { __type: string; message: string };
  }
  type Verdict = DynaliteError | null | undefined;
  type Finish = (error: unknown, result?: { readonly Items?: readonly Attributes[] }) => void;
  interface KeyedTable {
    readonly AttributeDefinitions: readonly object[];
    readonly KeySchema: readonly object[];
    readonly GlobalSecondaryIndexes: readonly object[];
  }

  const db: {
    checkConditional(request: DynaliteRequest, item: Attributes | undefined): Verdict;
    addConsumedCapacity(
      request: DynaliteRequest,
      isRead: boolean,
      item?: Attributes,
      changed?: Attributes,
    ): unknown;
    itemSize(item: Attributes, ...forPages: unknown[]): number;
    queryTable(
      ...parameters: [
        store: unknown,
        table: unknown,
        request: DynaliteRequest,
        options: unknown,
        isLocal: unknown,
        fetchFromItemDb: unknown,
        startKeyNames: unknown,
        finish: Finish,
      ]
    ): void;
    validationError(message: string): DynaliteError;
    validateItem(item: Attributes, table: KeyedTable): Verdict;
    validateKey(key: Attributes, table: KeyedTable): Verdict;
    validateUpdates(attributes: undefined, updates: unknown, table: KeyedTable): Verdict;
  };
  export default db;
}

declare module 'dynalite/validations/index.js' {
  const validations: {
    validateExpressionParams(request: object, expressions: string[], others: string[]): string | undefined;
    /** Adds what it has parsed to the request. */
    validateExpressions(request: object): string | undefined;
    validateAttributeValue(value: object): string | undefined;
  };
  export default validations;
}

declare module 'dynalite/validations/*.js' {
  type DynaliteRequest = import('./strict-dynalite.ts').DynaliteRequest;
  interface Store {
    readonly options: { readonly capacity?: import('./capacity.ts').KeyCapacity };
  }

  const validation: { custom(request: DynaliteRequest, store: Store): string | undefined };
  export default validation;
}
