import type { Account, DeployedAccount } from './account.ts';
import { checkEventPatterns } from './checks/event-patterns.ts';
import { checkAlarms, checkLogGroups, checkQueues } from './checks/monitoring.ts';
import { checkQuotas, checkStreamGroups } from './checks/quotas.ts';
import { checkPermissions, checkPolicies } from './checks/roles.ts';
import { checkSession, type SessionPlan } from './checks/session.ts';
import { checkCredentials, readStack } from './checks/stack.ts';
import { checkStateMachines, checkStates } from './checks/state-machines.ts';
import { checkTemplate } from './checks/template.ts';
import { CHECKS, type CheckId } from './checks.ts';
import { couldNotAsk, type Finding, type Found, skipped } from './finding.ts';

/** The checks of a deployed stack. Each gets its clients with the account, changes nothing, and returns what it found. */
export const DEPLOYED_CHECKS: Readonly<
  Record<
    Exclude<CheckId, 'credentials' | 'stack' | 'session'>,
    (account: DeployedAccount) => Promise<readonly Found[]>
  >
> = {
  template: checkTemplate,
  'stream-groups': checkStreamGroups,
  'state-machines': checkStateMachines,
  states: checkStates,
  'event-patterns': checkEventPatterns,
  permissions: checkPermissions,
  policies: checkPolicies,
  alarms: checkAlarms,
  'log-groups': checkLogGroups,
  queues: checkQueues,
  quotas: checkQuotas,
};

export const isCheckId = (text: string): text is CheckId => Object.hasOwn(CHECKS, text);

export interface RunOptions {
  /** All unless named. Credentials and stack are always looked at, because the others need them. */
  readonly only?: readonly CheckId[];
  /** Without a plan no session is started. */
  readonly session?: SessionPlan;
  readonly isInterrupted: () => boolean;
  readonly onFinding: (finding: Finding) => void;
}

/** Not SKIPPED: a run that was cut short must not exit with 0. */
const INTERRUPTED: Found = {
  verdict: 'COULD_NOT_ASK',
  found: 'Not looked at: the run was interrupted.',
  toDo: 'Run it again.',
};

/** Runs the checks one after the other. One that cannot be run, or fails, does not keep the others from running. */
export async function runChecks(
  account: Account,
  { only, session, isInterrupted, onFinding }: RunOptions,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const add = (check: CheckId, found: readonly Found[]) => {
    for (const one of found) {
      const finding = { check, ...one };
      findings.push(finding);
      onFinding(finding);
    }
  };
  add('credentials', await checkCredentials(account));
  const { findings: ofStack, stack } = await readStack(account);
  add('stack', ofStack);
  for (const [check, look] of Object.entries(DEPLOYED_CHECKS)) {
    if (!isCheckId(check) || (only !== undefined && !only.includes(check))) continue;
    if (isInterrupted()) add(check, [INTERRUPTED]);
    else if (stack === undefined) {
      add(check, [
        skipped('Not looked at: the stack could not be read.', 'Do first what is said of the stack.'),
      ]);
    } else {
      try {
        add(check, await look({ ...account, stack }));
      } catch (error) {
        // A defect of the check, or a reply that the SDK cannot read: the others go on.
        add(check, [couldNotAsk(`the check ${check}`, error)]);
      }
    }
  }
  if (session !== undefined && (only === undefined || only.includes('session'))) {
    if (isInterrupted()) add('session', [INTERRUPTED]);
    else add('session', await checkSession(account, session));
  }
  return findings;
}
