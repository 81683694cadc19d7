import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { REPOSITORY_DIRECTORY } from '../../local/service/serverless-print.ts';
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
    .flatMap(([, { Properties }]) => [...JSON.stringify(Properties).matchAll(/"(\w+LambdaFunction)"/g)])
    .map(([, logicalId]) => logicalId),
]);

describe('the functions', () => {
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
      TracingConfig: { Mode: 'Active' },
      Environment: { Variables: { NODE_OPTIONS: '--enable-source-maps' } },
    });
    expect(textOf(Properties['Description']).length).toBeGreaterThan(20);
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
    expect(own[0]?.[1].DeletionPolicy).toBe('Retain');
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
