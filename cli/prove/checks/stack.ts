/** What must be known before anything else: who asks, and the stack. */
import {
  DescribeStacksCommand,
  GetTemplateCommand,
  ListStackResourcesCommand,
} from '@aws-sdk/client-cloudformation';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { type Account, allPages, type DeployedStack, type Template, templateSchema } from '../account.ts';
import { ask, differs, type Found, holds, skipped } from '../finding.ts';

/** Where Amazon GameLift Streams has its control plane: Developer Guide, "AWS Regions and remote locations". */
export const STREAMS_REGIONS: readonly string[] = [
  'us-east-2',
  'us-west-2',
  'ap-northeast-1',
  'eu-central-1',
];

/** Says who asks, and whether the Region has the service. */
export async function checkCredentials({ aws, region }: Account): Promise<Found[]> {
  const answer = await ask('sts:GetCallerIdentity', () => aws.sts.send(new GetCallerIdentityCommand({})));
  const where = STREAMS_REGIONS.includes(region)
    ? holds(`${region} has the control plane of Amazon GameLift Streams.`)
    : differs(
        `${region} has no control plane of Amazon GameLift Streams; it may be a streaming location.`,
        `Use --region with one of ${STREAMS_REGIONS.join(', ')}.`,
      );
  if (!answer.ok) return [answer.found, where];
  const { Account = 'unknown', Arn = 'unknown' } = answer.reply;
  return [holds(`Account ${Account}, as ${Arn}.`), where];
}

/** Reads the deployed stack. Without one the findings say why. */
export async function readStack({
  aws,
  stackName,
  region,
  stage,
}: Account): Promise<{ readonly findings: readonly Found[]; readonly stack?: DeployedStack }> {
  const { cloudFormation } = aws;
  const described = await ask('cloudformation:DescribeStacks', async () => {
    try {
      return (await cloudFormation.send(new DescribeStacksCommand({ StackName: stackName }))).Stacks?.[0];
    } catch (error) {
      // CloudFormation has no error name of its own for a stack that is not there.
      if (error instanceof Error && error.message.includes('does not exist')) return undefined;
      throw error;
    }
  });
  if (!described.ok) return { findings: [described.found] };
  const { reply: found } = described;
  if (found === undefined || found.StackStatus === 'REVIEW_IN_PROGRESS') {
    const deploy = `npx serverless deploy --stage ${stage}`;
    return {
      findings: [
        differs(
          `There is no stack ${stackName} in ${region}.`,
          `Check --stage and --region, or deploy it: ${deploy}.`,
        ),
      ],
    };
  }
  const status = found.StackStatus ?? 'unknown';
  const findings = [statusFinding(stackName, status)];
  const resources = await ask('cloudformation:ListStackResources', () =>
    allPages(
      (NextToken) => cloudFormation.send(new ListStackResourcesCommand({ StackName: stackName, NextToken })),
      ({ StackResourceSummaries = [], NextToken }) => ({ items: StackResourceSummaries, next: NextToken }),
    ),
  );
  const template = await ask('cloudformation:GetTemplate', async () =>
    parseTemplate((await cloudFormation.send(new GetTemplateCommand({ StackName: stackName }))).TemplateBody),
  );
  const refused = [resources, template].flatMap((answer) => (answer.ok ? [] : [answer.found]));
  if (!resources.ok || !template.ok) return { findings: [...findings, ...refused] };
  if (template.reply === undefined) {
    const other = differs(
      'The deployed template is not one of this project.',
      'Check --stage: the stack has another template.',
    );
    return { findings: [...findings, other] };
  }
  return {
    findings,
    stack: {
      outputs: new Map(
        (found.Outputs ?? []).map(({ OutputKey = '', OutputValue = '' }) => [OutputKey, OutputValue]),
      ),
      template: template.reply,
      resources: resources.reply.flatMap(({ LogicalResourceId, PhysicalResourceId, ResourceType }) =>
        LogicalResourceId === undefined || PhysicalResourceId === undefined || ResourceType === undefined
          ? []
          : [{ logicalId: LogicalResourceId, physicalId: PhysicalResourceId, type: ResourceType }],
      ),
    },
  };
}

function statusFinding(stackName: string, status: string): Found {
  if (/^(CREATE|UPDATE|IMPORT)_COMPLETE$/.test(status)) return holds(`${stackName} is there: ${status}.`);
  if (/IN_PROGRESS$/.test(status)) {
    return skipped(
      `${stackName} is being changed: ${status}.`,
      'Run it again when the deployment has ended.',
    );
  }
  return differs(
    `${stackName} is ${status}.`,
    'See why the deployment failed: docs/runbook.md, "A failed deployment".',
  );
}

function parseTemplate(body: string | undefined): Template | undefined {
  try {
    const parsed = templateSchema.safeParse(JSON.parse(body ?? ''));
    return parsed.success ? parsed.data : undefined;
  } catch {
    // A template in YAML: the stack is not one that this project's package was deployed to.
    return undefined;
  }
}
