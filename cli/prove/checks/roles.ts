/** What the deployed roles may do, by IAM's own simulator, and whether their policies are sound. */
import { ValidatePolicyCommand } from '@aws-sdk/client-accessanalyzer';
import {
  type EvaluationResult,
  GetPolicyCommand,
  GetPolicyVersionCommand,
  GetRoleCommand,
  GetRolePolicyCommand,
  ListRolePoliciesCommand,
  SimulatePrincipalPolicyCommand,
} from '@aws-sdk/client-iam';
import { z } from 'zod';
import { type DeployedAccount, resourcesOf } from '../account.ts';
import { type Answer, ask, differs, type Found, holds, oneLine, skipped } from '../finding.ts';

const oneOrMany = z.union([z.string(), z.array(z.string())]).transform((value) => [value].flat());
const statementSchema = z.looseObject({
  Effect: z.enum(['Allow', 'Deny']),
  Action: oneOrMany.default([]),
  Resource: oneOrMany.default([]),
  Condition: z.record(z.string(), z.record(z.string(), oneOrMany)).default({}),
});
type Statement = z.infer<typeof statementSchema>;
const documentSchema = z.looseObject({
  Statement: z.union([statementSchema, z.array(statementSchema)]).transform((value) => [value].flat()),
});

interface Policy {
  readonly name: string;
  readonly text: string;
}

interface Role {
  readonly logicalId: string;
  readonly arn: string;
  readonly trust: string;
  readonly policies: readonly Policy[];
}

/** Two checks read the same roles, so they are read once. Policies that were attached are not read: no function's role has one in the template. */
const readBefore = new WeakMap<DeployedAccount['stack'], Promise<Answer<Role>[]>>();

function readRoles(account: DeployedAccount): Promise<Answer<Role>[]> {
  const before = readBefore.get(account.stack);
  if (before !== undefined) return before;
  const reading = readEach(account);
  readBefore.set(account.stack, reading);
  return reading;
}

async function readEach(account: DeployedAccount): Promise<Answer<Role>[]> {
  const { iam } = account.aws;
  const roles: Answer<Role>[] = [];
  for (const { logicalId, physicalId: RoleName } of resourcesOf(account, 'AWS::IAM::Role')) {
    const role = await ask(
      'iam:GetRole',
      async () => (await iam.send(new GetRoleCommand({ RoleName }))).Role,
    );
    const names = await ask(
      'iam:ListRolePolicies',
      async () => (await iam.send(new ListRolePoliciesCommand({ RoleName }))).PolicyNames ?? [],
    );
    // What is not allowed for one role is allowed for none.
    if (!role.ok) return [...roles, role];
    if (!names.ok) return [...roles, names];
    const policies: Policy[] = [];
    for (const PolicyName of names.reply) {
      const policy = await ask('iam:GetRolePolicy', () =>
        iam.send(new GetRolePolicyCommand({ RoleName, PolicyName })),
      );
      if (!policy.ok) return [...roles, policy];
      policies.push({ name: PolicyName, text: decodeURIComponent(policy.reply.PolicyDocument ?? '') });
    }
    const trust = decodeURIComponent(role.reply?.AssumeRolePolicyDocument ?? '');
    roles.push({ ok: true, reply: { logicalId, arn: role.reply?.Arn ?? '', trust, policies } });
  }
  return roles;
}

export async function checkPermissions(account: DeployedAccount): Promise<Found[]> {
  const findings: Found[] = [];
  const calls = callsByRole(account);
  if (calls === undefined) {
    findings.push(
      skipped(
        'There are no bundles whose calls could be compared with the roles.',
        'Run npm run build first.',
      ),
    );
  }
  let simulated = 0;
  for (const answer of await readRoles(account)) {
    if (!answer.ok) {
      findings.push(answer.found);
      continue;
    }
    const { reply: role } = answer;
    const read = role.policies.map(({ text }) => statementsOf(text));
    const allowed = read.flatMap((statements) => statements ?? []).filter(({ Effect }) => Effect === 'Allow');
    if (read.includes(undefined)) {
      findings.push(
        skipped(`A policy of ${role.logicalId} cannot be read.`, 'Look at it in the console of IAM.'),
      );
      continue;
    }
    const missing = (calls?.get(role.logicalId) ?? []).filter(
      (action) => !allowed.some(({ Action }) => Action.some((pattern) => isLike(action, pattern))),
    );
    if (missing.length > 0) {
      findings.push(
        differs(
          `The inline policies of ${role.logicalId} do not allow ${missing.join(', ')}, which its function calls.`,
          'Deploy again.',
        ),
      );
    }
    for (const statement of allowed) {
      const denied = await simulate(account, role, statement);
      if (!denied.ok) return [...findings, denied.found];
      findings.push(...denied.reply.denied);
      simulated += denied.reply.allowed;
    }
  }
  const differing = findings.some(({ verdict }) => verdict !== 'SKIPPED');
  return differing || simulated === 0
    ? findings
    : [...findings, holds(`IAM allows all ${simulated} actions of the roles' inline policies.`)];
}

/** By the role's logical id: the IAM actions that the bundle of its function can call. */
function callsByRole(account: DeployedAccount): ReadonlyMap<string, readonly string[]> | undefined {
  const { calls } = account.files;
  if (calls === undefined) return undefined;
  return new Map(
    resourcesOf(account, 'AWS::Lambda::Function').flatMap(({ properties }) => {
      const parsed = functionSchema.safeParse(properties);
      if (!parsed.success) return [];
      const [, bundle = ''] = parsed.data.Handler.split('/');
      return [[parsed.data.Role['Fn::GetAtt'][0], calls.get(bundle) ?? []] as const];
    }),
  );
}

const functionSchema = z.looseObject({
  Handler: z.string(),
  Role: z.object({ 'Fn::GetAtt': z.tuple([z.string(), z.literal('Arn')]) }),
});

async function simulate(
  account: DeployedAccount,
  role: Role,
  statement: Statement,
): Promise<Answer<{ readonly denied: readonly Found[]; readonly allowed: number }>> {
  const resources = statement.Resource.map((arn) => (arn === '*' ? arn : arn.replaceAll('*', 'x')));
  // "*" is the simulator's own default.
  const ResourceArns = resources.includes('*') ? undefined : resources;
  const ContextEntries = Object.entries(statement.Condition).flatMap(([operator, keys]) =>
    Object.entries(keys).map(([ContextKeyName, values]) => ({
      ContextKeyName,
      ContextKeyType: /^ForA(ll|ny)Values:/.test(operator) ? ('stringList' as const) : ('string' as const),
      ContextKeyValues: values.slice(0, 1).map((value) => value.replaceAll('*', 'x')),
    })),
  );
  const ActionNames = statement.Action.filter((action) => !action.includes('*'));
  if (ActionNames.length === 0) return { ok: true, reply: { denied: [], allowed: 0 } };
  const answer = await ask('iam:SimulatePrincipalPolicy', () =>
    account.aws.iam.send(
      new SimulatePrincipalPolicyCommand({
        PolicySourceArn: role.arn,
        ActionNames,
        ResourceArns,
        ContextEntries,
      }),
    ),
  );
  if (!answer.ok) return answer;
  const { EvaluationResults: results = [] } = answer.reply;
  const denied = results.filter(({ EvalDecision }) => EvalDecision !== 'allowed');
  return {
    ok: true,
    reply: {
      denied: denied.map((result) => denialOf(role, result)),
      allowed: results.length - denied.length,
    },
  };
}

function denialOf(
  { logicalId }: Role,
  {
    EvalActionName,
    EvalDecision,
    OrganizationsDecisionDetail,
    PermissionsBoundaryDecisionDetail,
  }: EvaluationResult,
): Found {
  const [by, toDo] =
    OrganizationsDecisionDetail?.AllowedByOrganizations === false
      ? [' by a policy of the organisation', 'Have the organisation allow it in this account.']
      : PermissionsBoundaryDecisionDetail?.AllowedByPermissionsBoundary === false
        ? [' by the permissions boundary', 'Widen the policy that permissionsBoundaryArn names.']
        : ['', 'Deploy again; if it stays, look for a policy that denies it.'];
  return differs(`${logicalId} may not call ${EvalActionName}: ${EvalDecision}${by}.`, toDo);
}

export async function checkPolicies(account: DeployedAccount): Promise<Found[]> {
  const findings: Found[] = [];
  let validated = 0;
  const validate = async (
    what: string,
    text: string,
    kind: 'IDENTITY_POLICY' | 'RESOURCE_POLICY',
    type?: 'AWS::IAM::AssumeRolePolicyDocument',
  ) => {
    const answer = await ask('access-analyzer:ValidatePolicy', () =>
      account.aws.accessAnalyzer.send(
        new ValidatePolicyCommand({
          policyDocument: text,
          policyType: kind,
          validatePolicyResourceType: type,
        }),
      ),
    );
    if (!answer.ok) {
      findings.push(answer.found);
      return false;
    }
    validated++;
    for (const { findingType, issueCode, findingDetails = '' } of answer.reply.findings ?? []) {
      if (findingType !== 'ERROR' && findingType !== 'SECURITY_WARNING') continue;
      findings.push(
        differs(`${what}: ${issueCode}: ${oneLine(findingDetails)}`, 'Attach the report to an issue.'),
      );
    }
    return true;
  };
  for (const answer of await readRoles(account)) {
    if (!answer.ok) {
      findings.push(answer.found);
      continue;
    }
    const { logicalId, trust, policies } = answer.reply;
    if (
      !(await validate(
        `Trust of ${logicalId}`,
        trust,
        'RESOURCE_POLICY',
        'AWS::IAM::AssumeRolePolicyDocument',
      ))
    )
      return findings;
    for (const { name, text } of policies) {
      if (!(await validate(`Policy ${name} of ${logicalId}`, text, 'IDENTITY_POLICY'))) return findings;
    }
  }
  const { iam } = account.aws;
  for (const { logicalId, physicalId: PolicyArn } of resourcesOf(account, 'AWS::IAM::ManagedPolicy')) {
    const policy = await ask('iam:GetPolicy', () => iam.send(new GetPolicyCommand({ PolicyArn })));
    if (!policy.ok) return [...findings, policy.found];
    const VersionId = policy.reply.Policy?.DefaultVersionId;
    const version = await ask('iam:GetPolicyVersion', () =>
      iam.send(new GetPolicyVersionCommand({ PolicyArn, VersionId })),
    );
    if (!version.ok) return [...findings, version.found];
    const text = decodeURIComponent(version.reply.PolicyVersion?.Document ?? '');
    if (!(await validate(logicalId, text, 'IDENTITY_POLICY'))) return findings;
  }
  return findings.length > 0 || validated === 0
    ? findings
    : [holds(`Access Analyzer has no error and no security warning for ${validated} policies.`)];
}

/** Returns undefined for what is no policy. */
function statementsOf(text: string): readonly Statement[] | undefined {
  try {
    return documentSchema.safeParse(JSON.parse(text)).data?.Statement;
  } catch {
    return undefined;
  }
}

function isLike(action: string, pattern: string): boolean {
  const [start = '', ...rest] = pattern.split('*');
  return rest.length === 0 ? action === pattern : action.startsWith(start);
}
