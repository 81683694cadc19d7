import { join, relative } from 'node:path';
import { systemClock } from 'local-server-kit';
import { startLambda } from './lambda/lambda.ts';
import { resolveEnvironment } from './service/read-service.ts';
import type { Service } from './service/service.ts';
import type { Endpoints, FunctionHost } from './stack.ts';

/** A line that a function has logged. */
export type OnLog = (functionName: string, line: string) => void;

/**
 * Runs the bundles in a folder, built as they are for a deployment, against a local stack.
 *
 * @param environment what deployment parameters would set otherwise than by default, for every function
 */
export function hostBundles(
  service: Service,
  endpoints: Endpoints,
  bundleFolder: string,
  onLog: OnLog,
  environment: Readonly<Record<string, string>> = {},
): FunctionHost {
  const { region, account } = service;
  const lambda = startLambda({
    clock: systemClock,
    region,
    account,
    onLog,
    functions: service.functions.map((fn) => ({
      name: fn.name,
      // serverless.yml names the folder that is packaged.
      bundlePath: join(bundleFolder, `${relative('dist', fn.handler.module)}.mjs`),
      handlerName: fn.handler.exportName,
      timeoutSeconds: fn.timeoutSeconds,
      memoryMegabytes: fn.memoryMegabytes,
      environment: {
        ...resolveEnvironment(service, fn.key),
        ...environment,
        // The SDKs read these by themselves, so that the functions know nothing of a local stack.
        AWS_ENDPOINT_URL_GAMELIFTSTREAMS: endpoints.gameLiftStreams,
        AWS_ENDPOINT_URL_SFN: endpoints.stepFunctions,
        AWS_ENDPOINT_URL_EVENTBRIDGE: endpoints.eventBus,
        AWS_ENDPOINT_URL_DYNAMODB: endpoints.dynamoDb,
        AWS_ENDPOINT_URL_SQS: endpoints.sqs,
      },
    })),
  });
  return { invoke: (name, payload) => lambda.invoke(name, payload), close: () => lambda.close() };
}
