import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type PackagedService,
  type PackageOptions,
  packagedService,
  resourcesOfType,
} from '../helpers/packaged-service.ts';
import { PARAMETER_SETS, type ParameterSet } from '../helpers/parameter-sets.ts';
import { cfnLintErrors, validate } from '../helpers/template-diagnostics.ts';
import { functionsOf, onlyResource, textOf } from '../helpers/template-view.ts';

/**
 * Packaging takes seconds, so that a run of all tests packages the sets that reach the most; `PARAMETER_SETS=all`
 * packages every one, as you do before a change of the template is released.
 */
const FEW: readonly ParameterSet[] = ['defaults', 'unwatched', 'adopted', 'everything'];
const isNamed = (name: string): name is ParameterSet => Object.hasOwn(PARAMETER_SETS, name);
const SETS = process.env['PARAMETER_SETS'] === 'all' ? Object.keys(PARAMETER_SETS).filter(isNamed) : FEW;

const packages = new Map<ParameterSet, PackagedService>();
let lintErrors: Awaited<ReturnType<typeof cfnLintErrors>>;
let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parameter-sets-'));
  for (const set of SETS) packages.set(set, await packagedService(set));
  lintErrors = await cfnLintErrors([...packages.values()].map(({ templateFile }) => templateFile));
}, 600_000);
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

function packageOf(set: ParameterSet): PackagedService {
  const packaged = packages.get(set);
  if (packaged === undefined) throw new Error(`${set} was not packaged.`);
  return packaged;
}

/** The facts of one set; skipped where only a few sets are packaged and this is none of them. */
const describeSet = (set: ParameterSet, facts: () => void) =>
  describe.skipIf(!SETS.includes(set))(set, facts);

/** One detail type, or several in a list. */
const areNamed = (types: unknown) => [types].flat().every((type) => typeof type === 'string' && type !== '');

describe.each(SETS)('the template of a deployment with the parameters "%s"', (set) => {
  it('is valid CloudFormation', () => {
    const { template, templateFile } = packageOf(set);

    const { unexpected, resources } = validate(templateFile);
    expect(unexpected).toEqual([]);
    expect(resources).toBe(Object.keys(template.Resources).length);
  });

  it('has no error by cfn-lint', ({ skip }) => {
    if (lintErrors === undefined) {
      console.warn('cfn-lint is not installed, so that no template was linted by it (pip install cfn-lint).');
      skip();
    }

    expect(lintErrors?.get(packageOf(set).templateFile)).toEqual([]);
  });

  it('leaves no condition to CloudFormation', () => {
    const { template } = packageOf(set);

    expect(template.Conditions).toBeUndefined();
    expect(Object.values(template.Resources).filter(({ Condition }) => Condition !== undefined)).toEqual([]);
    expect(JSON.stringify(template)).not.toContain('"Fn::If"');
  });

  it('lists the parameters that it was given', () => {
    const { Outputs } = packageOf(set).template;

    const listed: unknown = JSON.parse(String(Outputs['Parameters1']?.Value));
    const options: PackageOptions = PARAMETER_SETS[set];
    if (set === 'everything')
      expect(listed).toMatchObject({ rolePath: '/games/', deletionProtection: 'true' });
    else expect(listed).toEqual(options.params ?? {});
  });

  it('confines each function to kinds of items, and to its own events from the source that is named', () => {
    const source = set === 'everything' ? 'game.sessions' : 'stream-session-reconnection';

    const statements = functionsOf(packageOf(set).template).flatMap((fn) => fn.statements);

    const onItems = statements.filter(
      ({ actions }) =>
        actions.some((action) => action.startsWith('dynamodb:')) && !actions.includes('dynamodb:Query'),
    );
    expect(onItems.length).toBeGreaterThan(10);
    for (const { actions, condition } of onItems) {
      expect(JSON.stringify(condition)).toMatch(
        /^\{"ForAllValues:String(Like|Equals)":\{"dynamodb:LeadingKeys":\[/,
      );
      if (JSON.stringify(condition).includes('"switch"')) expect(actions).toEqual(['dynamodb:GetItem']);
    }
    for (const { condition } of statements.filter(({ actions }) => actions.includes('events:PutEvents'))) {
      expect(condition).toEqual({
        StringEquals: { 'events:source': source, 'events:detail-type': expect.toSatisfy(areNamed) },
      });
    }
  });

  it('denies admin shells to all but the principals that are named, and only then', () => {
    const [, { Properties }] = onlyResource(packageOf(set).template, 'AWS::ApiGateway::RestApi');
    const isConfined = set === 'everything' || set === 'paged';

    const policy = JSON.stringify(Properties['Policy'] ?? '');
    // The framework writes an empty text where there is no policy.
    expect(policy !== '""').toBe(isConfined);
    if (isConfined) {
      expect(policy).toContain('"aws:PrincipalArn":["arn:aws:iam::111122223333:role/operator"]');
    }
  });

  it('keeps every version of a function, but for those of an update that is rolled back', () => {
    const versions = resourcesOfType(packageOf(set).template, 'AWS::Lambda::Version');

    expect(versions.length).toBeGreaterThan(10);
    expect(new Set(versions.map(([, { DeletionPolicy }]) => DeletionPolicy))).toEqual(
      new Set(['RetainExceptOnCreate']),
    );
  });

  it('has the tag of its stack on every resource whose schema has tags', async () => {
    const { template } = packageOf(set);
    const stack = set === 'everything' || set === 'elsewhere' ? 'prod' : 'dev';
    const untagged = Object.entries(template.Resources).filter(
      ([, { Properties }]) =>
        !JSON.stringify(Properties['Tags'] ?? '').includes(
          `{"Key":"STACK","Value":"stream-session-reconnection-${stack}"}`,
        ),
    );

    // The validator refuses tags of each of these, because their schemas have none.
    const types = new Map(untagged.map(([logicalId, { Type }]) => [Type, logicalId]));
    // It has tags since 2026; cfn-lint 1.51 does not know them yet, and the stack's own tags reach it.
    types.delete('AWS::CloudWatch::Dashboard');
    const copy = structuredClone(template);
    for (const logicalId of types.values()) {
      const properties = copy.Resources[logicalId]?.Properties ?? {};
      properties['Tags'] = [{ Key: 'STACK', Value: 'x' }];
    }
    const file = join(folder, 'tagged.json');
    await writeFile(file, JSON.stringify(copy));
    const refused = validate(file).unexpected.filter((line) => line.includes('Tags'));
    for (const [type, logicalId] of types) {
      expect(
        refused.some((line) => line.includes(` ${logicalId} `)),
        type,
      ).toBe(true);
    }
  });
});

describeSet('unwatched', () => {
  it('has no schedule, for there is nothing to watch', () => {
    const { template } = packageOf('unwatched');

    expect(Object.keys(template.Resources).filter((id) => id.startsWith('WatchSchedule'))).toEqual([]);
    const sourcesOf = (name: ParameterSet) =>
      resourcesOfType(packageOf(name).template, 'AWS::Lambda::EventSourceMapping').map(([id]) => id);
    expect(sourcesOf('defaults')).toContain('WatchSessionsEventSourceMappingSQSWatcherLooks');
    expect(sourcesOf('unwatched')).not.toContain('WatchSessionsEventSourceMappingSQSWatcherLooks');
    expect(resourcesOfType(packageOf('defaults').template, 'AWS::Events::Rule').map(([id]) => id)).toContain(
      'WatchSchedule',
    );
  });
});

describeSet('adopted', () => {
  it('uses the table that is there, and makes none', () => {
    const { template } = packageOf('adopted');

    expect(resourcesOfType(template, 'AWS::DynamoDB::Table')).toEqual([]);
    expect(template.Outputs['TableName']?.Value).toBe('table-of-last-year');
    const text = JSON.stringify(template);
    expect(text).toContain(':table/table-of-last-year/index/OpenWindows');
    expect(text).not.toMatch(/"Ref":"Table"|"Table","Arn"|\$\{Table(\.Arn)?\}/);
  });

  it('uses the log of admin shells that is there, and makes none', () => {
    const { template } = packageOf('adopted');

    expect(template.Resources['RequestAdminShellLogGroup']).toBeUndefined();
    expect(JSON.stringify(template.Resources['RequestAdminShellFunctionRole'])).toContain(
      'log-group:/aws/lambda/stream-session-reconnection-dev-requestAdminShell:*',
    );
    expect(JSON.stringify(template)).not.toContain('RequestAdminShellLogGroup');
  });
});

describe.each(['bounded', 'everything'] as const)('%s', (set) => {
  it.skipIf(!SETS.includes(set))('has its boundary, its path and its tags on every role', () => {
    const roles = resourcesOfType(packageOf(set).template, 'AWS::IAM::Role');

    expect(roles.length).toBeGreaterThan(10);
    for (const [id, { Properties }] of roles) {
      expect(Properties, id).toMatchObject({
        PermissionsBoundary: 'arn:aws:iam::111122223333:policy/boundary',
        Path: set === 'bounded' ? '/games/reconnection/' : '/games/',
        Tags: expect.arrayContaining([
          { Key: 'team', Value: 'live operations' },
          { Key: 'cost-centre', Value: '17' },
        ]),
      });
    }
  });
});

describeSet('bounded', () => {
  it('brings no bucket, for it has one already', () => {
    const { template } = packageOf('bounded');

    expect(resourcesOfType(template, 'AWS::S3::Bucket')).toEqual([]);
    expect(template.Outputs['ServerlessDeploymentBucketName']?.Value).toBe('team-deployments');
  });
});

describeSet('unmonitored', () => {
  it('has no alarm and no dashboard', () => {
    const types = Object.values(packageOf('unmonitored').template.Resources).map(({ Type }) => Type);

    expect(types.filter((type) => type.startsWith('AWS::CloudWatch::'))).toEqual([]);
  });
});

describeSet('alarmsOnly', () => {
  it('has the alarms and no dashboard', () => {
    const types = new Set(Object.values(packageOf('alarmsOnly').template.Resources).map(({ Type }) => Type));

    expect(types).toContain('AWS::CloudWatch::Alarm');
    expect(types).not.toContain('AWS::CloudWatch::Dashboard');
  });

  it('protects its table from being deleted', () => {
    const [, table] = onlyResource(packageOf('alarmsOnly').template, 'AWS::DynamoDB::Table');

    expect(table.Properties['DeletionProtectionEnabled']).toBe(true);
  });
});

describeSet('everything', () => {
  it('is encrypted with the key, also what the plugin does not make', () => {
    const { template } = packageOf('everything');

    const groups = resourcesOfType(template, 'AWS::Logs::LogGroup');
    expect(
      groups.filter(([, { Properties }]) => !textOf(Properties['KmsKeyId']).startsWith('arn:aws:kms:')),
    ).toEqual([]);
  });
});

describe('a policy to attach', () => {
  /** Those that roles have by now. With another description CloudFormation would make another policy. */
  const DESCRIPTIONS: Readonly<Record<string, string>> = {
    BackendPolicy:
      'Request connections and read windows of stream sessions (stream-session-reconnection, dev).',
    WindowPolicy: 'Read windows of stream sessions (stream-session-reconnection, dev).',
    OperatorPolicy:
      'Request connections and admin shells, and read windows of stream sessions (stream-session-reconnection, dev).',
    NoDirectCallsPolicy:
      'Deny to invoke the functions behind the API directly (stream-session-reconnection, dev).',
    SwitchPolicy: 'Switch stream session reconnection on and off (stream-session-reconnection, dev).',
    SupportPolicy: 'See what happened to stream sessions (stream-session-reconnection, dev).',
    WindowOperatorPolicy:
      'See windows of stream sessions, end sessions and retry windows (stream-session-reconnection, dev).',
    FeedPolicy: 'Report status changes of stream sessions (stream-session-reconnection, dev).',
  };

  it('changes in its document alone, so that it is never replaced under the roles that have it', () => {
    const policies = resourcesOfType(packageOf('defaults').template, 'AWS::IAM::ManagedPolicy');

    for (const [id, { Properties }] of policies) {
      expect(Object.keys(Properties).sort(), id).toEqual(['Description', 'PolicyDocument']);
    }
    const described = policies.map(([id, { Properties }]) => [id, textOf(Properties['Description'])]);
    expect(Object.fromEntries(described)).toEqual(DESCRIPTIONS);
  });
});
