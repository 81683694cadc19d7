/** Whether what is deployed is what was packaged, whether CloudFormation still takes it, and whether it has drifted. */
import { isDeepStrictEqual } from 'node:util';
import {
  CreateChangeSetCommand,
  DeleteChangeSetCommand,
  DescribeChangeSetCommand,
  DescribeStackDriftDetectionStatusCommand,
  DescribeStackResourceDriftsCommand,
  DetectStackDriftCommand,
  ListChangeSetsCommand,
  ValidateTemplateCommand,
} from '@aws-sdk/client-cloudformation';
import { allPages, type DeployedAccount, type Template } from '../account.ts';
import { ask, couldNotAsk, differs, type Found, holds, oneLine, skipped } from '../finding.ts';

/** Change sets of this command, by which a later run knows what a killed one has left. */
const CHANGE_SET_PREFIX = 'prove-';
/** The prefix and a time in milliseconds: a team's own `prove-something` is not ours to delete. */
const OWN_CHANGE_SET = /^prove-\d{13}$/;
const POLL_MS = 3000;
/** AWS documents no length; a stack of some 170 resources took less than two minutes in public reports. */
const LONGEST_WAIT_MS = 5 * 60_000;

export async function checkTemplate(account: DeployedAccount): Promise<Found[]> {
  const steps = [removeLeftovers, comparePackage, validateDeployed, tryChangeSet, detectDrift];
  const findings: Found[] = [];
  for (const step of steps) findings.push(...(await step(account)));
  return findings;
}

async function removeLeftovers({ aws, stackName }: DeployedAccount): Promise<Found[]> {
  const listed = await ask('cloudformation:ListChangeSets', () =>
    allPages(
      (NextToken) => aws.cloudFormation.send(new ListChangeSetsCommand({ StackName: stackName, NextToken })),
      ({ Summaries = [], NextToken }) => ({ items: Summaries, next: NextToken }),
    ),
  );
  if (!listed.ok) return [listed.found];
  const left = listed.reply.flatMap(({ ChangeSetName: name = '' }) =>
    OWN_CHANGE_SET.test(name) ? [name] : [],
  );
  const findings: Found[] = [];
  for (const name of left) {
    const deleted = await ask('cloudformation:DeleteChangeSet', () =>
      deleteChangeSet(aws.cloudFormation, stackName, name),
    );
    findings.push(
      deleted.ok
        ? holds(`An earlier run that was killed had left the change set ${name}; it is deleted.`)
        : deleted.found,
    );
  }
  return findings;
}

async function comparePackage({ files, stack, stage }: DeployedAccount): Promise<Found[]> {
  const again = `npm run package -- --stage ${stage}`;
  if (files.template === undefined)
    return [skipped('There is no package to compare with.', `Run ${again} first.`)];
  const [packaged, deployed] = [withoutTimes(files.template), withoutTimes(stack.template)];
  const names = [...new Set([...Object.keys(packaged), ...Object.keys(deployed)])].sort();
  const different = names.flatMap((name) => {
    if (isDeepStrictEqual(packaged[name], deployed[name])) return [];
    if (packaged[name] === undefined) return [`${name} is deployed only`];
    return [deployed[name] === undefined ? `${name} is packaged only` : `${name} differs`];
  });
  if (different.length === 0)
    return [holds(`The deployed template has the ${names.length} resources of the package.`)];
  const shown = different.slice(0, 10).join('; ');
  const more = different.length > 10 ? `; and ${different.length - 10} more` : '';
  return [
    differs(
      `The deployed template is not the packaged one: ${shown}${more}.`,
      `Package the deployed commit (output Source of the stack) with ${again}, or deploy.`,
    ),
  ];
}

/** The resources without what is new in each package: the folder of the code, and the deployment of the API named after it. */
function withoutTimes({ Resources }: Template): Record<string, unknown> {
  const text = JSON.stringify(Resources).replace(/ApiGatewayDeployment\d+/g, 'ApiGatewayDeployment');
  const parsed: Record<string, unknown> = JSON.parse(text, (_key, value: unknown) =>
    typeof value === 'string' && value.startsWith('serverless/') && value.endsWith('.zip')
      ? value.slice(value.lastIndexOf('/') + 1)
      : value,
  );
  return parsed;
}

/** ValidateTemplate takes no body as long as ours, so it is given the copy that the deployment has left in its bucket. */
async function validateDeployed({ aws, stack, region }: DeployedAccount): Promise<Found[]> {
  const url = urlOfDeployedTemplate(stack.template, stack.resources, region);
  if (url === undefined) {
    return [
      skipped(
        'The deployment bucket of the stack is not known.',
        'Validate the template by hand: aws cloudformation validate-template.',
      ),
    ];
  }
  const answer = await ask('cloudformation:ValidateTemplate', async () => {
    try {
      await aws.cloudFormation.send(new ValidateTemplateCommand({ TemplateURL: url }));
      return undefined;
    } catch (error) {
      // What is wrong with a template is a ValidationError; so is a copy that the caller may not read.
      if (error instanceof Error && error.name === 'ValidationError') return oneLine(error.message);
      throw error;
    }
  });
  if (!answer.ok) return [answer.found];
  const { reply: problem } = answer;
  if (problem === undefined) return [holds('CloudFormation finds the deployed template valid.')];
  if (/access denied|S3 error/i.test(problem)) {
    const found = `cloudformation:ValidateTemplate: the template in the deployment bucket cannot be read (${problem})`;
    return [
      {
        verdict: 'COULD_NOT_ASK',
        found,
        toDo: 'Allow s3:GetObject on the deployment bucket.',
        permission: 's3:GetObject',
      },
    ];
  }
  return [
    differs(
      `CloudFormation finds the deployed template invalid: ${problem}`,
      'Attach the report to an issue.',
    ),
  ];
}

function urlOfDeployedTemplate(
  template: Template,
  resources: DeployedAccount['stack']['resources'],
  region: string,
): string | undefined {
  for (const { Type, Properties } of Object.values(template.Resources)) {
    const code = Type === 'AWS::Lambda::Function' ? Properties['Code'] : undefined;
    if (typeof code !== 'object' || code === null) continue;
    const [key, bucket] = [Reflect.get(code, 'S3Key'), Reflect.get(code, 'S3Bucket')];
    const referred = typeof bucket === 'object' && bucket !== null ? Reflect.get(bucket, 'Ref') : undefined;
    const name =
      typeof bucket === 'string'
        ? bucket
        : resources.find(({ logicalId }) => logicalId === referred)?.physicalId;
    if (typeof key !== 'string' || name === undefined) continue;
    const folder = key.slice(0, key.lastIndexOf('/'));
    const path = `${folder}/compiled-cloudformation-template.json`
      .split('/')
      .map(encodeURIComponent)
      .join('/');
    return `https://${name}.s3.${region}.amazonaws.com/${path}`;
  }
  return undefined;
}

/** A change set of the deployed template must have no changes. It is deleted in any case, and never executed. */
async function tryChangeSet(account: DeployedAccount): Promise<Found[]> {
  const { aws, stackName, nowMs } = account;
  const name = `${CHANGE_SET_PREFIX}${Math.floor(nowMs())}`;
  const created = await ask('cloudformation:CreateChangeSet', () =>
    aws.cloudFormation.send(
      new CreateChangeSetCommand({
        StackName: stackName,
        ChangeSetName: name,
        ChangeSetType: 'UPDATE',
        UsePreviousTemplate: true,
        Capabilities: ['CAPABILITY_NAMED_IAM'],
        Description: 'Made and deleted by npm run prove. Never executed.',
      }),
    ),
  );
  if (!created.ok) return [created.found];
  const findings: Found[] = [];
  try {
    findings.push(await judgeChangeSet(account, name));
  } catch (error) {
    findings.push(couldNotAsk('cloudformation:DescribeChangeSet', error));
  } finally {
    const deleted = await ask('cloudformation:DeleteChangeSet', () =>
      deleteChangeSet(aws.cloudFormation, stackName, name),
    );
    if (!deleted.ok) {
      const command = `aws cloudformation delete-change-set --stack-name ${stackName} --change-set-name ${name}`;
      findings.push({ ...deleted.found, toDo: `The change set ${name} is left: ${command}.` });
    }
  }
  return findings;
}

async function judgeChangeSet(
  { aws, stackName, nowMs, sleep }: DeployedAccount,
  name: string,
): Promise<Found> {
  const untilMs = nowMs() + LONGEST_WAIT_MS;
  while (nowMs() < untilMs) {
    const described = await aws.cloudFormation.send(
      new DescribeChangeSetCommand({ StackName: stackName, ChangeSetName: name }),
    );
    const { Status = '', StatusReason = '', Changes = [] } = described;
    if (Status === 'FAILED') {
      return /didn't contain changes|No updates are to be performed/i.test(StatusReason)
        ? holds('A change set of the deployed template has no changes.')
        : differs(
            `CloudFormation refuses a change set of the deployed template: ${oneLine(StatusReason)}`,
            'Attach the report to an issue.',
          );
    }
    if (Status === 'CREATE_COMPLETE') {
      const ids = Changes.flatMap(({ ResourceChange }) => ResourceChange?.LogicalResourceId ?? []);
      return ids.length === 0
        ? holds('A change set of the deployed template has no changes.')
        : differs(
            `A change set of the deployed template would change ${ids.slice(0, 10).join(', ')}.`,
            'Deploy again.',
          );
    }
    await sleep(POLL_MS);
  }
  return skipped('CloudFormation was still making the change set after 5 minutes.', 'Run it again.');
}

async function deleteChangeSet(
  cloudFormation: DeployedAccount['aws']['cloudFormation'],
  stackName: string,
  name: string,
): Promise<void> {
  await cloudFormation.send(new DeleteChangeSetCommand({ StackName: stackName, ChangeSetName: name }));
}

async function detectDrift({ aws, stackName, nowMs, sleep }: DeployedAccount): Promise<Found[]> {
  const { cloudFormation } = aws;
  const begun = await ask('cloudformation:DetectStackDrift', () =>
    cloudFormation.send(new DetectStackDriftCommand({ StackName: stackName })),
  );
  if (!begun.ok) return [begun.found];
  const { StackDriftDetectionId } = begun.reply;
  const untilMs = nowMs() + LONGEST_WAIT_MS;
  const ended = await ask('cloudformation:DescribeStackDriftDetectionStatus', async () => {
    while (nowMs() < untilMs) {
      const status = await cloudFormation.send(
        new DescribeStackDriftDetectionStatusCommand({ StackDriftDetectionId }),
      );
      if (status.DetectionStatus !== 'DETECTION_IN_PROGRESS') return status;
      await sleep(POLL_MS);
    }
    return undefined;
  });
  if (!ended.ok) return [ended.found];
  if (ended.reply === undefined)
    return [skipped('Drift detection took more than 5 minutes.', 'Run it again.')];
  const { DetectionStatus, DetectionStatusReason = '', StackDriftStatus } = ended.reply;
  const incomplete =
    DetectionStatus === 'DETECTION_FAILED'
      ? [
          skipped(
            `Drift could not be detected for every resource: ${oneLine(DetectionStatusReason)}`,
            'Allow the caller to read the resources, such as by the policy ReadOnlyAccess.',
          ),
        ]
      : [];
  // Where some resources could not be read, IN_SYNC is about the others.
  if (StackDriftStatus === 'IN_SYNC')
    return incomplete.length > 0 ? incomplete : [holds('No resource of the stack has drifted.')];
  const drifts = await ask('cloudformation:DescribeStackResourceDrifts', () =>
    allPages(
      (NextToken) =>
        cloudFormation.send(
          new DescribeStackResourceDriftsCommand({
            StackName: stackName,
            StackResourceDriftStatusFilters: ['MODIFIED', 'DELETED'],
            NextToken,
          }),
        ),
      ({ StackResourceDrifts = [], NextToken }) => ({ items: StackResourceDrifts, next: NextToken }),
    ),
  );
  if (!drifts.ok) return [...incomplete, drifts.found];
  return [
    ...incomplete,
    ...drifts.reply.map(({ LogicalResourceId, StackResourceDriftStatus, PropertyDifferences = [] }) => {
      const paths = PropertyDifferences.flatMap(({ PropertyPath }) => PropertyPath ?? []).slice(0, 5);
      const where = paths.length === 0 ? '' : ` (${paths.join(', ')})`;
      return differs(
        `${LogicalResourceId} was ${String(StackResourceDriftStatus).toLowerCase()} since it was deployed${where}.`,
        'Undo the change, or put it into the template and deploy.',
      );
    }),
  ];
}
