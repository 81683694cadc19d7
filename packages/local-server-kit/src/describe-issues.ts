import type { z } from 'zod';

const MAX_ISSUES = 10;

/** The name of an operation or a member, where it has the form of one: a sender may have written anything there. */
export function nameToTell(name: string): string {
  return /^[a-zA-Z]{1,64}$/.test(name) ? name : '(no name)';
}

/**
 * What is wrong with a request, for who sent it: fields and rules, never a value, nor a name that is not the
 * schema's own. Of a thousand mistakes the first ten.
 */
export function describeIssues({ issues }: z.ZodError): string {
  return issues.slice(0, MAX_ISSUES).map(describeIssue).join('; ');
}

function describeIssue(issue: z.core.$ZodIssue): string {
  const where = issue.path.length === 0 ? 'request' : issue.path.map(String).join('.');
  return `${where}: ${issue.code === 'unrecognized_keys' ? 'Unknown members' : issue.message}`;
}
