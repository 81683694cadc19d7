import type { CheckId } from './checks.ts';

/** DIFFERS alone contradicts what the project takes for true. */
export const VERDICTS = ['HOLDS', 'DIFFERS', 'COULD_NOT_ASK', 'SKIPPED'] as const;
export type Verdict = (typeof VERDICTS)[number];

export interface Finding {
  readonly check: CheckId;
  readonly verdict: Verdict;
  /** What was found, in one line. */
  readonly found: string;
  /** What to do about it, in one line. Undefined when there is nothing to do. */
  readonly toDo?: string;
  /** The IAM action that is missing. */
  readonly permission?: string;
}

/** What a check finds, before it is known which check. */
export type Found = Omit<Finding, 'check'>;

export const holds = (found: string): Found => ({ verdict: 'HOLDS', found });
export const differs = (found: string, toDo: string): Found => ({ verdict: 'DIFFERS', found, toDo });
export const skipped = (found: string, toDo: string): Found => ({ verdict: 'SKIPPED', found, toDo });

export type Answer<Reply> =
  | { readonly ok: true; readonly reply: Reply }
  | { readonly ok: false; readonly found: Found };

/**
 * Asks AWS one question. What AWS refuses is a finding that says why, so that the other questions are still asked.
 *
 * @param action the IAM action that the call needs, such as `cloudformation:DescribeStacks`.
 */
export async function ask<Reply>(action: string, call: () => Promise<Reply>): Promise<Answer<Reply>> {
  try {
    return { ok: true, reply: await call() };
  } catch (error) {
    return { ok: false, found: couldNotAsk(action, error) };
  }
}

const DENIED =
  /^(AccessDenied|AccessDeniedException|AuthorizationError|AuthorizationErrorException|UnauthorizedOperation|NotAuthorized|Forbidden)$/;
const THROTTLED =
  /^(Throttling|ThrottlingException|ThrottledException|TooManyRequestsException|RequestLimitExceeded|LimitExceeded|LimitExceededException|SlowDown)$/;
const WRONG_CREDENTIALS =
  /^(InvalidClientTokenId|InvalidClientTokenIdException|UnrecognizedClientException|InvalidSignatureException|SignatureDoesNotMatch|IncompleteSignature|MissingAuthenticationToken)$/;
const EXPIRED = /^(ExpiredToken|ExpiredTokenException|RequestExpired|TokenRefreshRequired)$/;
const UNREACHABLE = /^(ENOTFOUND|ECONNREFUSED|ECONNRESET|EAI_AGAIN|ETIMEDOUT|TimeoutError|NetworkingError)$/;

/** Returns the finding for a question that AWS did not answer. */
export function couldNotAsk(action: string, error: unknown): Found {
  const { name, message } = nameAndMessage(error);
  const could = (why: string, toDo: string): Found => ({
    verdict: 'COULD_NOT_ASK',
    found: `${action}: ${why}`,
    toDo,
  });
  if (name === 'AbortError') return could('interrupted', 'Run it again.');
  if (DENIED.test(name)) {
    const explicit = /explicit deny/i.test(message) ? ', by an explicit deny' : '';
    return {
      ...could(
        `not allowed${explicit}`,
        `Allow ${action} to the caller: docs/prove-policy.json has the whole policy.`,
      ),
      permission: action,
    };
  }
  if (name === 'CredentialsProviderError') {
    return could('there are no AWS credentials', 'Set AWS_PROFILE, or log in with: aws sso login.');
  }
  if (EXPIRED.test(name))
    return could('the credentials have expired', 'Log in again, such as with: aws sso login.');
  if (WRONG_CREDENTIALS.test(name)) {
    return could(
      `AWS does not accept the credentials (${name})`,
      'Use credentials of the account that has the stack.',
    );
  }
  if (THROTTLED.test(name)) return could('throttled by AWS', 'Run it again in a minute.');
  if (UNREACHABLE.test(name)) {
    return could(
      `the endpoint does not answer (${name})`,
      'Check --region and the network; some services are not in every Region.',
    );
  }
  if (/Deserialization error|parse error/.test(message)) {
    return could('the reply cannot be read', 'Look whether AWS_ENDPOINT_URL or a proxy stands before AWS.');
  }
  return could(`${name}: ${oneLine(message)}`, 'Run it again; if it stays, attach the report to an issue.');
}

function nameAndMessage(error: unknown): { readonly name: string; readonly message: string } {
  if (!(error instanceof Error)) return { name: typeof error, message: '' };
  // Node puts what went wrong with a socket into `code`.
  const name =
    'code' in error && typeof error.code === 'string' && error.name === 'Error' ? error.code : error.name;
  return { name, message: error.message };
}

const LONGEST_MESSAGE = 200;

/** Returns the text as one line of bounded length without the ids of access keys, which AWS quotes in some messages. */
export function oneLine(text: string): string {
  const line = text
    .replace(/\s+/g, ' ')
    .replace(/[A-Z0-9]+/g, (word) => (isKeyId(word) ? '<key id>' : word))
    .trim();
  return line.length <= LONGEST_MESSAGE ? line : `${line.slice(0, LONGEST_MESSAGE - 1)}…`;
}

/** IAM User Guide, "Understanding unique ID prefixes". An id is at least 16 characters long. */
function isKeyId(word: string): boolean {
  return word.length >= 16 && /^(?:AKIA|ASIA|AROA|AIDA)/.test(word);
}
