import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import {
  type Parameters,
  parametersOf,
  problemsOf,
  watchedStreamGroupsText,
} from '../../scripts/serverless/parameters.ts';
import { printService, REPOSITORY_DIRECTORY } from '../../scripts/serverless/run-serverless.ts';

let params: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {};

beforeAll(async () => {
  const file: unknown = parse(await readFile(join(REPOSITORY_DIRECTORY, 'serverless.yml'), 'utf8'), {
    logLevel: 'silent',
  });
  ({ params } = z.object({ params: z.record(z.string(), z.record(z.string(), z.unknown())) }).parse(file));
});

const defaults = () => parametersOf(params, 'dev');
const problems = (overrides: Parameters) => problemsOf({ ...defaults(), ...overrides });

describe('the parameters of serverless.yml', () => {
  it.each(['dev', 'prod', 'local'])('will do as they are on stage %s', (stage) => {
    expect(problemsOf(parametersOf(params, stage))).toEqual([]);
  });

  it("are the command line's, else the stage's, else the default", () => {
    // Prepare
    const declared = { default: { a: 1, b: 1, c: 1 }, prod: { b: 2, c: 2 }, dev: { a: 9 } };

    // Act
    const parameters = parametersOf(declared, 'prod', ['c=x=3 ']);

    // Assess
    expect(parameters).toEqual({ a: '1', b: '2', c: 'x=3' });
  });
});

describe('a parameter', () => {
  it.each([
    ['eventSource', 'aws.gameliftstreams', 'must not begin with "aws."'],
    ['readsPerSecond', 'many', 'must be a whole number from 1 to 100000'],
    ['readsPerSecond', '1.5', 'must be a whole number from 1 to 100000'],
    ['connectionsPerSecond', '0', 'must be a whole number from 1 to 100000'],
    ['defaultConnectionTimeoutSeconds', '3601', 'must be a whole number from 1 to 3600'],
    ['windowMarginSeconds', '-1', 'must be a whole number from 0 to 60'],
    ['apiRequestsPerSecond', '0', 'must be a whole number from 1 to 100000'],
    ['watchedStreamGroups', 'sg_1', 'must be all, tag:<key>=<value>, or short ids such as sg-1AB2C3De4'],
    [
      'streamGroups',
      'arn:aws:x',
      "only stream groups of the deployment's own account and Region can be used",
    ],
    ['streamGroups', 'tag:reconnect', 'must have one tag, with a key and a value'],
    ['streamGroups', 'none', 'must be all, tag:<key>=<value>, or short ids such as sg-1AB2C3De4'],
    ['eventBus', 'arn:aws:events:us-west-2:1:event-bus/game', 'what its ARN has after "event-bus/"'],
    ['kmsKeyArn', 'alias/game', 'must be the ARN of a KMS key'],
    ['pageTopicArn', 'pagers', 'must be the ARN of an SNS topic'],
    ['ticketTopicArn', 'arn:aws:sns:us-west-2:111122223333:pagers.fifo', 'FIFO topics take no alarms'],
    ['runbookUrl', 'a"b', 'without spaces, quotes and "#"'],
    ['adminShellPrincipals', 'operators', 'must be ARNs of IAM roles and users'],
    ['adminShellPrincipals', 'arn:aws:sts::111122223333:assumed-role/a/b', 'the role'],
    ['lostWindowsPercent', '0', 'must be a whole number from 1 to 100'],
    ['logRetentionDays', '31', 'must be one of 1, 3, 5, 7, 14, 30, 60,'],
    ['adminShellAuditDays', 'ever', 'must be a whole number from 1 to 3653'],
    ['terminateAbandonedSessions', 'yes', 'expected one of "true"|"false"'],
    ['manageApiGatewayAccount', '1', 'expected one of "true"|"false"'],
    ['tableDeletionPolicy', 'Keep', '"Retain"|"RetainExceptOnCreate"|"Delete"'],
    ['tableName', 'arn:aws:dynamodb:us-west-2:1:table/a', 'must be the name of a DynamoDB table'],
    ['permissionsBoundaryArn', 'boundary', 'must be the ARN of an IAM policy'],
    ['rolePath', 'games/', 'must begin and end with "/"'],
    ['tags', 'team', 'must be key=value, separated by commas'],
    ['tags', 'aws:team=a', 'no key that begins with "aws:"'],
    ['tags', Array.from({ length: 41 }, (_, i) => `t${i}=x`).join(','), '40 at most'],
    ['deploymentBucket', 'Team_Bucket', 'must be the name of an S3 bucket'],
    ['deploymentRoleArn', 'deployer', 'must be the ARN of an IAM role'],
    ['monitoring', 'some', '"none"|"alarms"|"full"'],
    ['deletionProtection', 'on', 'expected one of "true"|"false"'],
    ['adoptAdminShellLog', 'yes', 'expected one of "true"|"false"'],
  ])('%s that is "%s" is refused, and told what it must be', (name, value, expected) => {
    // Act
    const [problem, ...others] = problems({ [name]: value });

    // Assess
    expect(problem).toContain(`${name}, "${value}": `);
    expect(problem).toContain(expected);
    expect(others).toEqual([]);
  });

  it('that is misspelt is refused, for the framework would ignore it', () => {
    expect(problems({ readPerSecond: '5' })).toEqual([
      expect.stringMatching(/^readPerSecond: there is no such parameter\. There are .*readsPerSecond/),
    ]);
  });

  it('has a rule, whichever serverless.yml declares', () => {
    expect(problemsOf(defaults())).toEqual([]);
    expect(Object.keys(defaults()).length).toBeGreaterThan(15);
  });

  it('that names principals may name several roles and users, with asterisks', () => {
    const arns =
      'arn:aws:iam::111122223333:role/ops/on-call, arn:aws:iam::111122223333:user/jo@example.com,arn:aws-cn:iam::*:role/a*';

    expect(problems({ adminShellPrincipals: arns })).toEqual([]);
  });
});

describe('the Region', () => {
  const KEY = 'arn:aws:kms:us-west-2:111122223333:key/11111111-2222-3333-4444-555555555555';

  it.each(['us-east-2', 'us-west-2', 'ap-northeast-1', 'eu-central-1'])('may be %s', (region) => {
    expect(problemsOf(defaults(), region)).toEqual([]);
  });

  it.each(['us-east-1', 'eu-west-1', 'moon-base-1'])('is refused where the service is not: %s', (region) => {
    expect(problemsOf(defaults(), region)).toEqual([
      expect.stringMatching(
        `^region, "${region}": Amazon GameLift Streams is not there\\. It is in us-east-2, us-west-2`,
      ),
    ]);
  });

  it('is that of every ARN that names one, whichever parameter has it', () => {
    const topic = 'arn:aws:sns:us-east-2:111122223333:alarms';
    const given = { ...defaults(), kmsKeyArn: KEY, pageTopicArn: topic };

    expect(problemsOf(given, 'us-west-2')).toEqual([
      `pageTopicArn, "${topic}": is of us-east-2, and the service is deployed in us-west-2`,
    ]);
    expect(problemsOf(given, 'us-east-2')).toEqual([
      `kmsKeyArn, "${KEY}": is of us-west-2, and the service is deployed in us-east-2`,
    ]);
  });

  it('is none of an IAM policy or role', () => {
    const permissionsBoundaryArn = 'arn:aws:iam::111122223333:policy/boundary';
    const deploymentRoleArn = 'arn:aws:iam::111122223333:role/games/deployment';

    expect(problemsOf({ ...defaults(), permissionsBoundaryArn, deploymentRoleArn }, 'us-west-2')).toEqual([]);
  });
});

describe('stream groups that are watched', () => {
  it.each([
    ['sg-a,sg-b', ''],
    ['sg-a,sg-b', 'none'],
    ['sg-a,sg-b', 'sg-b'],
    ['all', 'sg-a'],
    ['all', 'tag:reconnect=yes'],
    ['', 'all'],
    ['tag:reconnect=yes', ''],
    ['tag:reconnect=yes', 'tag:reconnect=yes'],
    ['tag:reconnect=yes', 'sg-a'],
  ])('of %j may be %j', (streamGroups, watchedStreamGroups) => {
    expect(problems({ streamGroups, watchedStreamGroups })).toEqual([]);
  });

  it.each([
    ['sg-a,sg-b', 'sg-b, sg-c', 'sg-c'],
    ['sg-a,sg-b', 'all', 'all'],
    ['sg-a,sg-b', 'tag:reconnect=yes', 'tag:reconnect=yes'],
    ['tag:reconnect=yes', 'all', 'all'],
    ['tag:reconnect=yes', 'tag:reconnect=no', 'tag:reconnect=no'],
  ])('of %j may not be %j', (streamGroups, watchedStreamGroups, named) => {
    expect(problems({ streamGroups, watchedStreamGroups })).toEqual([
      `watchedStreamGroups: ${named} must be among streamGroups too`,
    ]);
  });

  it.each([
    [{ streamGroups: 'sg-a, sg-b', watchedStreamGroups: '' }, 'sg-a, sg-b'],
    [{ streamGroups: 'all', watchedStreamGroups: 'sg-a' }, 'sg-a'],
    [{ streamGroups: 'all', watchedStreamGroups: 'none' }, ''],
    [{ streamGroups: '', watchedStreamGroups: '' }, 'all'],
  ])('follow those of the service unless the parameter says otherwise: %j', (parameters, watched) => {
    expect(watchedStreamGroupsText(parameters)).toBe(watched);
  });
});

describe('the framework', () => {
  it('says every problem at once, before its own checks', async () => {
    // Act
    const printing = printService({
      stage: 'dev',
      params: { eventSource: 'aws.x', logRetentionDays: '31', readPerSecond: '5' },
    });

    // Assess
    await expect(printing).rejects.toThrow(
      /Parameters to correct.*eventSource, "aws\.x".*logRetentionDays, "31".*readPerSecond: there is no such/s,
    );
  });
});

describe('the roles of a service that is confined to stream groups', () => {
  it('name those, and the watcher those that it watches', async () => {
    // Act
    const printed = await printService({
      stage: 'dev',
      params: { streamGroups: 'sg-a, sg-b', watchedStreamGroups: 'sg-b' },
    });

    // Assess
    const groupsOf = (action: string) =>
      statementsOf(printed)
        .filter(({ Action }) => [Action].flat().includes(`gameliftstreams:${action}`))
        .map(({ Resource }) => JSON.stringify(Resource).match(/(?<=streamgroup\/)[^"]+/g));
    // A request for a connection may be for any of them, and may have to find its session in the list.
    const lists = groupsOf('ListStreamSessions').map((group) => JSON.stringify(group));
    expect(lists.sort()).toEqual(['["sg-a","sg-b"]', '["sg-a","sg-b"]', '["sg-b"]']);
    // The watcher reads sessions of windows that wait for the service, and only those that it watches.
    const reads = groupsOf('GetStreamSession').map((group) => JSON.stringify(group));
    expect(reads.filter((group) => group === '["sg-b"]')).toHaveLength(1);
    expect(reads.filter((group) => group !== '["sg-b"]')).toContain('["sg-a","sg-b"]');
    for (const action of ['TerminateStreamSession', 'CreateStreamSessionAdminShell']) {
      const groups = groupsOf(action);
      expect(groups.length, action).toBeGreaterThan(0);
      for (const group of groups) expect(group, action).toEqual(['sg-a', 'sg-b']);
    }
  });
});

const printedSchema = z.object({
  resources: z.object({
    Resources: z.record(z.string(), z.object({ Type: z.string(), Properties: z.unknown() })),
  }),
});
const roleSchema = z.object({
  Policies: z.array(
    z.object({
      PolicyDocument: z.object({
        Statement: z.array(
          z.looseObject({ Action: z.union([z.string(), z.array(z.string())]), Resource: z.unknown() }),
        ),
      }),
    }),
  ),
});

/** Every statement of every role that the template has policies of its own for. */
function statementsOf(printed: unknown) {
  const { Resources } = printedSchema.parse(printed).resources;
  return Object.values(Resources).flatMap(({ Type, Properties }) => {
    const role = Type === 'AWS::IAM::Role' ? roleSchema.safeParse(Properties).data : undefined;
    return (role?.Policies ?? []).flatMap(({ PolicyDocument }) => PolicyDocument.Statement);
  });
}
