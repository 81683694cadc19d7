import { printService } from '../../scripts/serverless/run-serverless.ts';
import { describeService } from './describe-service.ts';
import { resolveText } from './intrinsics.ts';
import { intrinsicScope } from './names.ts';
import type { Service } from './service.ts';

/** AWS documentation's own example account. */
export const LOCAL_ACCOUNT = '123456789012';

export interface ReadServiceOptions {
  /** Overrides of `serverless.yml`'s params, such as `{ windowMarginSeconds: '1' }`. */
  readonly params?: Readonly<Record<string, string>>;
  readonly stage?: string;
  readonly account?: string;
  /** Where `serverless.yml` is. */
  readonly directory?: string;
}

/**
 * The deployable service as the cloud would get it, read from `serverless.yml` by the framework's own CLI.
 *
 * @throws ServerlessPrintError with the CLI's whole output when it fails, as it does for a parameter that is wrong.
 * @throws ServiceDescriptionError that names the path of anything the stand-ins do not know.
 */
export async function readService(options: ReadServiceOptions = {}): Promise<Service> {
  const { params = {}, stage = 'local', account = LOCAL_ACCOUNT, directory } = options;
  const printed = await printService({ stage, params, ...(directory !== undefined && { directory }) });
  return describeService(printed, { account });
}

/**
 * A function's environment as text, with every intrinsic replaced.
 *
 * @throws ServiceDescriptionError for an intrinsic or resource that the stand-ins do not know.
 */
export function resolveEnvironment(service: Service, functionKey: string): Record<string, string> {
  const fn = service.functions.find(({ key }) => key === functionKey);
  if (fn === undefined) throw new Error(`The service has no function ${functionKey}.`);
  const scope = intrinsicScope(service);
  return Object.fromEntries(
    Object.entries(fn.environment).map(([name, value]) => [
      name,
      resolveText(value, scope, `functions.${functionKey}.environment.${name}`),
    ]),
  );
}
