/** What `npm run prove` looks at, in the order of its report. */
export const CHECKS = {
  credentials: 'Credentials and Region',
  stack: 'The stack',
  template: 'The deployed template, its change set and its drift',
  'stream-groups': 'Stream groups',
  'state-machines': 'Definitions of the state machines',
  states: 'States, tried one by one',
  'event-patterns': 'Event patterns',
  permissions: 'Permissions of the roles',
  policies: 'Policies',
  alarms: 'Alarms and their metrics',
  'log-groups': 'Log groups',
  queues: 'Queues and the table',
  quotas: 'Quotas',
  session: 'A stream session without a client',
} as const;

export type CheckId = keyof typeof CHECKS;
