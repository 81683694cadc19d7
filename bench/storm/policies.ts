import { backoffPolicy } from './backoff-policy.ts';
import { ourPolicy } from './our-policy.ts';
import type { Policy } from './policy.ts';
import { sdkPolicy } from './sdk-policy.ts';

/** Every policy that a storm is tried with, ours first. Each storm gets objects of its own. */
export function allPolicies(): readonly Policy[] {
  return [ourPolicy(), sdkPolicy('standard'), sdkPolicy('adaptive'), backoffPolicy];
}
