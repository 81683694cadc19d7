import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import * as z from 'zod';
import { FUNCTION_DEFINITIONS } from '../../local/simulation/definitions.ts';
import { REPOSITORY_DIRECTORY } from '../../scripts/serverless/run-serverless.ts';
import { packagedService, resourcesOfType } from '../helpers/packaged-service.ts';
import { functionsOf, textOf } from '../helpers/template-view.ts';

const { template } = await packagedService();
const functions = functionsOf(template);
const versions = resourcesOfType(template, 'AWS::Lambda::Version');
const invokeConfigs = resourcesOfType(template, 'AWS::Lambda::EventInvokeConfig');

/**
 * The functions that are invoked asynchronously, so that nobody waits for their answer: by EventBridge, and
 * on-status-change by the runbook's replay, and by events from before there was a queue.
 */
const asynchronous = new Set([
  'OnStatusChangeLambdaFunction',
  ...resourcesOfType(template, 'AWS::Events::Rule')
    .flatMap(([, { Properties }]) => [
      ...JSON.stringify(Properties['Targets']).matchAll(/"(\w+LambdaFunction)"/g),
    ])
    .map(([, logicalId]) => logicalId),
]);

const environmentSchema = z.object({ Variables: z.record(z.string(), z.unknown()) });
/** What Node.js and Powertools read by themselves. */
const OF_RUNTIME = new Set(['NODE_OPTIONS', 'POWERTOOLS_SERVICE_NAME', 'POWERTOOLS_METRICS_NAMESPACE']);

describe('the functions', () => {
  it('have a definition each, under their keys', () => {
    expect(Object.keys(FUNCTION_DEFINITIONS).sort()).toEqual(functions.map(({ key }) => key).sort());
  });

  it('are those of functions/, each once', async () => {
    const folders = (await readdir(join(REPOSITORY_DIRECTORY, 'functions'))).filter(
      (name) => name !== 'shared',
    );

    expect(functions.map(({ folder }) => folder).sort()).toEqual(folders.sort());
  });

  it('have a role each', () => {
    expect(new Set(functions.map(({ roleId }) => roleId)).size).toBe(functions.length);
    expect(functions.filter(({ roleId }) => template.Resources[roleId] === undefined)).toEqual([]);
  });

  it('are the ones that the tests run, under the same names and with the same limits', () => {
    const tested = inject('service').functions.map(({ key, timeoutSeconds, memoryMegabytes }) => ({
      key,
      timeoutSeconds,
      memoryMegabytes,
    }));
    const packaged = functions.map(({ key, resource }) => ({
      key,
      timeoutSeconds: resource.Properties['Timeout'],
      memoryMegabytes: resource.Properties['MemorySize'],
    }));

    expect(packaged).toEqual(tested);
  });

  it('are invoked asynchronously where an event is what wakes them up', () => {
    expect([...asynchronous].sort()).toEqual([
      'OnExecutionFailureLambdaFunction',
      'OnStatusChangeLambdaFunction',
      'WatchSessionsLambdaFunction',
    ]);
  });
});

describe.each(functions)('$folder', ({ logicalId, key, resource }) => {
  const { Properties } = resource;

  it('runs on the Node.js of the tests, on Graviton, traced, with stack traces that name our files', () => {
    expect(Properties).toMatchObject({
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
      // The watcher's looks are twelve a minute, and each would be sampled.
      TracingConfig: { Mode: key === 'watchSessions' ? 'PassThrough' : 'Active' },
      Environment: { Variables: { NODE_OPTIONS: '--enable-source-maps' } },
    });
    expect(textOf(Properties['Description']).length).toBeGreaterThan(20);
  });

  it('has the settings that its definition names, and no others', () => {
    const { Variables: variables = {} } = environmentSchema.parse(Properties['Environment']);

    // AWS_REGION is Lambda's own, and TABLE_NAME is set for all functions.
    const named = FUNCTION_DEFINITIONS[key]?.settings.filter((name) => name !== 'AWS_REGION') ?? [];
    expect(
      Object.keys(variables)
        .filter((name) => !OF_RUNTIME.has(name))
        .sort(),
    ).toEqual([...named].sort());
  });

  it('has a log group that ends its lines, made before it', () => {
    const logGroup = `${logicalId.replace('LambdaFunction', '')}LogGroup`;

    const { Type, Properties: logs = {} } = template.Resources[logGroup] ?? {};
    expect(Type).toBe('AWS::Logs::LogGroup');
    expect(logs['LogGroupName']).toBe(`/aws/lambda/${textOf(Properties['FunctionName'])}`);
    expect(logs['RetentionInDays']).toBe(key === 'requestAdminShell' ? 400 : 30);
    expect(resource.DependsOn).toContain(logGroup);
  });

  it('is published as one version, which stays when the next one comes', () => {
    const own = versions.filter(
      ([, version]) => textOf(version.Properties['FunctionName']) === `\${${logicalId}}`,
    );

    expect(own).toHaveLength(1);
    expect(own[0]?.[1].DeletionPolicy).toBe('RetainExceptOnCreate');
  });

  it('keeps what it failed on, if nobody waits for its answer', () => {
    const configs = invokeConfigs.filter(
      ([, config]) => textOf(config.Properties['FunctionName']) === `\${${logicalId}}`,
    );

    const destinations = configs.map(([, config]) => JSON.stringify(config.Properties['DestinationConfig']));
    expect(destinations).toHaveLength(asynchronous.has(logicalId) ? 1 : 0);
    for (const destination of destinations) {
      const [, queue = ''] =
        /"OnFailure":\{"Destination":\{"Fn::GetAtt":\["(\w+)","Arn"\]/.exec(destination) ?? [];
      expect(template.Resources[queue]?.Type).toBe('AWS::SQS::Queue');
    }
  });
});
