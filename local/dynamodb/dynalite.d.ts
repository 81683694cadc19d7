declare module 'dynalite' {
  import type { Server } from 'node:http';

  interface DynaliteOptions {
    /** How long tables stay in their CREATING, DELETING and UPDATING states; dynalite's own default is 500. */
    createTableMs?: number;
    deleteTableMs?: number;
    updateTableMs?: number;
  }

  /** An in-memory DynamoDB that is not listening yet. */
  export default function dynalite(options?: DynaliteOptions): Server;
}
