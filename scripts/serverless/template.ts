/** What is done to the template that the framework has compiled, before it is written. */
import { z } from 'zod';
import type { StreamGroupSelection } from '../../functions/shared/runtime/settings.ts';

export interface Resource {
  readonly Type: string;
  DependsOn?: string | string[] | undefined;
  Condition?: string;
  DeletionPolicy?: string;
  UpdateReplacePolicy?: string;
  Properties?: Record<string, unknown>;
}

export type Resources = Record<string, Resource>;

export interface Output {
  readonly Description?: string;
  readonly Value: unknown;
  readonly Export?: { readonly Name: unknown };
  Condition?: string;
}

export interface Template {
  readonly Resources: Resources;
  readonly Outputs: Record<string, Output>;
  Conditions?: Readonly<Record<string, unknown>>;
}

/** Characters that a name may have, by type and property: the API reference of each service. */
const LONGEST_NAMES: Readonly<Record<string, readonly [property: string, characters: number]>> = {
  'AWS::Lambda::Function': ['FunctionName', 64],
  'AWS::StepFunctions::StateMachine': ['StateMachineName', 80],
};

/** Names that their services would refuse; the stage's is a part of each. None when all will do. */
export function problemsOfNames(resources: Resources): string[] {
  return Object.values(resources).flatMap(({ Type, Properties = {} }) => {
    const [property = '', longest = 0] = LONGEST_NAMES[Type] ?? [];
    const name = Properties[property];
    return typeof name === 'string' && name.length > longest
      ? [`${name} has ${name.length} characters, ${Type} takes ${longest}: shorten the stage's name`]
      : [];
  });
}

/**
 * Leaves the stage to `ApiStage`: a deployment that has a `StageName` makes a stage of its own. And a deployment
 * is a snapshot of its API, so it must come after whatever it is to have in it, gateway responses included.
 *
 * @throws Error when the API has no deployment, or more than one.
 */
export function leaveStageToTemplate(resources: Resources): void {
  const [deployment, ...others] = ofType(resources, 'AWS::ApiGateway::Deployment');
  if (deployment === undefined || others.length > 0) throw new Error('The API must have one deployment.');
  const [, resource] = deployment;
  delete resource.Properties?.['StageName'];
  const responses = ofType(resources, 'AWS::ApiGateway::GatewayResponse').map(([logicalId]) => logicalId);
  resource.DependsOn = [...[resource.DependsOn ?? []].flat(), ...responses];
}

/**
 * Gives the watcher's event source the condition that its schedule has: without it Lambda would poll an empty queue, and each
 * poll is paid for. The framework takes no condition for an event.
 *
 * @throws Error when the template has no such event source.
 */
export function readLooksOnlyIfWatched(resources: Resources): void {
  const looks = ofType(resources, 'AWS::Lambda::EventSourceMapping').find(([, { Properties = {} }]) =>
    JSON.stringify(Properties['EventSourceArn']).includes('"WatcherLooks"'),
  );
  if (looks === undefined) throw new Error('Nothing reads the queue WatcherLooks.');
  looks[1].Condition = 'WatcherIsOn';
}

/**
 * Denies admin shells to all but these principals, whatever their own policies allow, because many administrators have
 * `execute-api:Invoke` on `*`. An assumed role counts as the role, and a caller without an ARN is denied.
 *
 * @throws Error when the template has no REST API, or more than one.
 */
export function confineAdminShells(resources: Resources, principals: readonly string[], stage: string): void {
  const [api, ...others] = ofType(resources, 'AWS::ApiGateway::RestApi');
  if (api === undefined || others.length > 0) throw new Error('The template must have one REST API.');
  const [, resource] = api;
  const route = `execute-api:/${stage}/POST/streamgroups/*/streamsessions/*/access`;
  resource.Properties = {
    ...resource.Properties,
    Policy: {
      Version: '2012-10-17',
      Statement: [
        // There is no Allow here: within an account the caller's own policy may allow, and a caller of another account
        // would need both (API Gateway Developer Guide, "How API Gateway resource policies affect authorization workflow").
        {
          Effect: 'Deny',
          Principal: '*',
          Action: 'execute-api:Invoke',
          // The second because no document says whether a path that ends in a slash reaches the same route.
          Resource: [route, `${route}/*`],
          Condition: { ArnNotLike: { 'aws:PrincipalArn': principals } },
        },
      ],
    },
  };
}

/**
 * Encrypts everything that rests with the customer's own key, and lets the functions and the state machines use it.
 * The key's policy must let CloudWatch Logs and EventBridge use it: docs/customer-managed-key.md.
 */
export function encryptWith(resources: Resources, kmsKeyArn: string): void {
  for (const resource of Object.values(resources)) {
    const properties = resource.Properties ?? {};
    switch (resource.Type) {
      case 'AWS::DynamoDB::Table':
        properties['SSESpecification'] = { SSEEnabled: true, SSEType: 'KMS', KMSMasterKeyId: kmsKeyArn };
        break;
      case 'AWS::SQS::Queue':
        delete properties['SqsManagedSseEnabled'];
        properties['KmsMasterKeyId'] = kmsKeyArn;
        break;
      case 'AWS::Logs::LogGroup':
        properties['KmsKeyId'] = kmsKeyArn;
        break;
      case 'AWS::StepFunctions::StateMachine':
        properties['EncryptionConfiguration'] = { Type: 'CUSTOMER_MANAGED_KMS_KEY', KmsKeyId: kmsKeyArn };
        break;
      case 'AWS::IAM::Role':
        allowKey(properties, kmsKeyArn);
        break;
    }
  }
}

/** The actions that list stream groups. Only the watcher calls them, and only where the groups are not named by id. */
const LISTING: ReadonlySet<string> = new Set([
  'gameliftstreams:ListStreamGroups',
  'gameliftstreams:ListTagsForResource',
]);

const policiesSchema = z.array(
  z.looseObject({
    PolicyDocument: z.looseObject({ Statement: z.array(z.looseObject({ Action: z.unknown() })) }),
  }),
);

/**
 * Confines the roles to the stream groups that have the chosen tag, and takes the permission to list stream groups away where
 * their ids are given. The actions on sessions know the condition `aws:ResourceTag`, those that list stream groups and
 * their tags are asked about all of them: Service Authorization Reference, "Amazon GameLift Streams".
 */
export function confineToStreamGroups(
  resources: Resources,
  { all, watched }: Readonly<Record<'all' | 'watched', StreamGroupSelection>>,
): void {
  for (const [, { Properties = {} }] of ofType(resources, 'AWS::IAM::Role')) {
    const policies = policiesSchema.parse(Properties['Policies'] ?? []);
    const statements = policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement);
    const isWatcher = statements.some((statement) =>
      actionsOf(statement).some((action) => LISTING.has(action)),
    );
    const tag = [...(isWatcher ? [watched] : []), all].find(isTag);
    for (const { PolicyDocument } of policies) {
      PolicyDocument.Statement = PolicyDocument.Statement.filter(
        (statement) =>
          !Array.isArray(watched) || !actionsOf(statement).every((action) => LISTING.has(action)),
      ).map((statement) =>
        tag !== undefined && actionsOf(statement).some(isOnSessions)
          ? { ...statement, Condition: { StringEquals: { [`aws:ResourceTag/${tag.key}`]: tag.value } } }
          : statement,
      );
    }
    if (policies.length > 0) Properties['Policies'] = policies;
  }
}

const isOnSessions = (action: string) => action.startsWith('gameliftstreams:') && !LISTING.has(action);
const isTag = (selection: StreamGroupSelection) => typeof selection !== 'string' && 'key' in selection;

function actionsOf({ Action: action }: { readonly Action: unknown }): string[] {
  return [action].flat().map(String);
}

const roleSchema = z.looseObject({
  AssumeRolePolicyDocument: z.looseObject({
    Statement: z.array(z.looseObject({ Principal: z.looseObject({ Service: z.unknown() }) })),
  }),
  Policies: z
    .array(z.looseObject({ PolicyDocument: z.looseObject({ Statement: z.array(z.unknown()) }) }))
    .optional(),
});

function allowKey(properties: Record<string, unknown>, kmsKeyArn: string): void {
  const role = roleSchema.parse(properties);
  const services = role.AssumeRolePolicyDocument.Statement.flatMap(({ Principal }) => Principal.Service);
  const statement = {
    Effect: 'Allow',
    Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
    Resource: kmsKeyArn,
  };
  const [policy, ...others] = role.Policies ?? [];
  if (policy === undefined) return;
  const { Statement } = policy.PolicyDocument;
  if (services.includes('lambda.amazonaws.com')) {
    // Only through the services that hold the function's data: the table, the queues, the state machines.
    const viaServices = ['dynamodb', 'sqs', 'states'].map((service) => ({
      'Fn::Sub': `${service}.\${AWS::Region}.amazonaws.com`,
    }));
    Statement.push({ ...statement, Condition: { StringEquals: { 'kms:ViaService': viaServices } } });
  } else if (services.includes('states.amazonaws.com')) {
    Statement.push(statement);
  } else {
    return;
  }
  properties['Policies'] = [policy, ...others];
}

function ofType(resources: Resources, type: string): [string, Resource][] {
  return Object.entries(resources).filter(([, { Type }]) => Type === type);
}

/**
 * Keeps the versions of functions that a later template no longer names, because open windows run them. A version of
 * an update that is rolled back goes: Lambda publishes no second version of the same code, so it would fail the retry.
 */
export function keepVersions(resources: Resources): void {
  for (const [, version] of ofType(resources, 'AWS::Lambda::Version')) {
    version.DeletionPolicy = 'RetainExceptOnCreate';
  }
}

/** Takes out dependencies that a reference implies: the framework names each function's role twice. */
export function dropImpliedDependencies(resources: Resources): void {
  for (const resource of Object.values(resources)) {
    if (resource.DependsOn === undefined) continue;
    const properties = JSON.stringify(resource.Properties ?? {});
    resource.DependsOn = [resource.DependsOn]
      .flat()
      .filter(
        (id) => !properties.includes(`{"Fn::GetAtt":["${id}",`) && !properties.includes(`{"Ref":"${id}"}`),
      );
    if (resource.DependsOn.length === 0) delete resource.DependsOn;
  }
}

/** The table and the log that outlive a stack, and that a new stack may take over. */
const TABLE = 'Table';
const AUDIT_LOG = 'RequestAdminShellLogGroup';

/** Keeps the record of admin shells when the stack is removed, like the table; `adoptAuditLog` takes it over again. */
export function keepAuditLog(resources: Resources): void {
  const log = resources[AUDIT_LOG];
  if (log === undefined) throw new Error(`The template has no ${AUDIT_LOG}.`);
  log.DeletionPolicy = 'RetainExceptOnCreate';
  log.UpdateReplacePolicy = 'Retain';
}

/** What an account's rules demand of every role: a boundary, a path, or neither. */
export function applyToRoles(
  resources: Resources,
  { boundaryArn, path }: { readonly boundaryArn: string; readonly path: string },
): void {
  for (const [, role] of ofType(resources, 'AWS::IAM::Role')) {
    role.Properties = {
      ...role.Properties,
      ...(boundaryArn !== '' && { PermissionsBoundary: boundaryArn }),
      ...(path !== '' && { Path: path }),
    };
  }
}

/** Types whose `Tags` are a list; a test compares them with the schemas of all types in the template. */
const TAGGED_TYPES = new Set([
  'AWS::ApiGateway::RestApi',
  'AWS::ApiGateway::Stage',
  'AWS::CloudTrail::Trail',
  'AWS::CloudWatch::Alarm',
  'AWS::CloudWatch::CompositeAlarm',
  'AWS::DynamoDB::Table',
  'AWS::Events::EventBus',
  'AWS::Events::Rule',
  'AWS::IAM::Role',
  'AWS::Lambda::EventSourceMapping',
  'AWS::Lambda::Function',
  'AWS::Logs::LogGroup',
  'AWS::S3::Bucket',
  'AWS::SNS::Topic',
  'AWS::SQS::Queue',
  'AWS::StepFunctions::StateMachine',
]);

/**
 * Puts the tags on every resource that can have some. A stack's own tags reach fewer: CloudFormation does not put
 * those that it makes itself on tables, queues and roles.
 */
export function tag(resources: Resources, tags: Readonly<Record<string, string>>): void {
  const list = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
  for (const resource of Object.values(resources)) {
    if (!TAGGED_TYPES.has(resource.Type)) continue;
    const own = z
      .array(z.object({ Key: z.string(), Value: z.unknown() }))
      .parse(resource.Properties?.['Tags'] ?? []);
    const others = own.filter(({ Key }) => !Object.hasOwn(tags, Key));
    resource.Properties = { ...resource.Properties, Tags: [...others, ...list] };
  }
}

export const MONITORING = ['none', 'alarms', 'full'] as const;

/** Leaves out alarms and dashboard, which cost money, for a stage without an operator. */
export function limitMonitoring(resources: Resources, monitoring: string | undefined): void {
  const isLeftOut = ({ Type }: Resource) =>
    (monitoring !== 'full' && Type === 'AWS::CloudWatch::Dashboard') ||
    (monitoring === 'none' && /^AWS::CloudWatch::(Composite)?Alarm$|^AWS::Logs::MetricFilter$/.test(Type));
  for (const [logicalId, resource] of Object.entries(resources)) {
    if (isLeftOut(resource)) delete resources[logicalId];
  }
}

/** Uses the table of that name in place of one that the stack makes. */
export function adoptTable(template: Template, tableName: string): void {
  const arn = `arn:\${AWS::Partition}:dynamodb:\${AWS::Region}:\${AWS::AccountId}:table/${tableName}`;
  adopt(template, TABLE, tableName, arn);
}

/** Uses the admin shells' log group that is there already; its name follows from the function's. */
export function adoptAuditLog(template: Template): void {
  const { LogGroupName: name } = z
    .looseObject({ LogGroupName: z.string() })
    .parse(template.Resources[AUDIT_LOG]?.Properties);
  const arn = `arn:\${AWS::Partition}:logs:\${AWS::Region}:\${AWS::AccountId}:log-group:${name}:*`;
  adopt(template, AUDIT_LOG, name, arn);
}

/** Takes a resource out of the template, and puts its name and its ARN in where others refer to it. */
function adopt(template: Template, logicalId: string, name: string, arn: string): void {
  const { Resources, Outputs } = template;
  delete Resources[logicalId];
  const replaced = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return value.map(replaced);
    const [[key, argument] = ['', undefined], ...others] = Object.entries(value);
    if (others.length === 0) {
      if (key === 'Ref' && argument === logicalId) return name;
      if (key === 'Fn::GetAtt' && [argument].flat().join('.') === `${logicalId}.Arn`)
        return { 'Fn::Sub': arn };
      if (key === 'Fn::Sub') {
        const [text, ...values]: readonly unknown[] = [argument].flat();
        const named = String(text)
          .replaceAll(`\${${logicalId}.Arn}`, arn)
          .replaceAll(`\${${logicalId}}`, name);
        return { 'Fn::Sub': Array.isArray(argument) ? [named, ...values.map(replaced)] : named };
      }
    }
    return Object.fromEntries(Object.entries(value).map(([property, item]) => [property, replaced(item)]));
  };
  for (const part of [Resources, Outputs]) {
    for (const [id, entry] of Object.entries(part)) part[id] = Object.assign(entry, replaced({ ...entry }));
  }
  for (const resource of Object.values(Resources)) {
    if (resource.DependsOn === undefined) continue;
    resource.DependsOn = [resource.DependsOn].flat().filter((id) => id !== logicalId);
  }
}
