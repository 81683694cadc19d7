import { ServiceError } from './service-error.ts';

/**
 * What AWS forbids in the names of machines and executions: whitespace, brackets, wildcards, special and
 * control characters, surrogates and non-characters.
 * https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
 */
const FORBIDDEN = /[\s<>{}[\]?*"#%\\^|~`$&,;:/\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/u;

/** @throws ServiceError InvalidName; the length is the request schema's to check. */
export function requireName(name: string): void {
  if (FORBIDDEN.test(name)) throw new ServiceError('InvalidName', `Invalid Name: '${name}'`);
}
