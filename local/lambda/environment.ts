import { devNull } from 'node:os';
import { dirname } from 'node:path';
import type { FunctionConfiguration } from './messages.ts';

/**
 * The environment of a function's worker: what Lambda sets, and what the function is configured with. Of this
 * computer's own it gets PATH alone, so that a missing setting or a real credential cannot slip in.
 */
export function workerEnvironment(
  { name, bundlePath, handlerName, memoryMegabytes, logGroupName, logStreamName }: FunctionConfiguration,
  region: string,
  configured: Readonly<Record<string, string>>,
): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '',
    TZ: ':UTC',
    LANG: 'en_US.UTF-8',
    // A service that nobody gave an endpoint of its own is refused here, and not called on the internet.
    AWS_ENDPOINT_URL: 'http://127.0.0.1:1',
    ...configured,
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
    AWS_LAMBDA_FUNCTION_NAME: name,
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(memoryMegabytes),
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_LOG_GROUP_NAME: logGroupName,
    AWS_LAMBDA_LOG_STREAM_NAME: logStreamName,
    LAMBDA_TASK_ROOT: dirname(bundlePath),
    _HANDLER: handlerName,
    // Accepted by the stand-ins, and by nobody else.
    AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_SESSION_TOKEN: 'local',
    // The SDK would otherwise read ~/.aws and ask the instance metadata service.
    AWS_CONFIG_FILE: devNull,
    AWS_SHARED_CREDENTIALS_FILE: devNull,
    AWS_EC2_METADATA_DISABLED: 'true',
  };
}
