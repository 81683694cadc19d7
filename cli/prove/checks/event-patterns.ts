/** Whether each rule of the stack matches the samples that it is for, by EventBridge's own matcher. */
import {
  DescribeRuleCommand,
  type DescribeRuleCommandOutput,
  TestEventPatternCommand,
} from '@aws-sdk/client-eventbridge';
import { type DeployedAccount, resourcesOf, type Sample, settingOf } from '../account.ts';
import { ask, differs, type Found, holds, skipped } from '../finding.ts';

/** By the rule's logical id: the samples that it must match. It must match no other. */
export const SAMPLES_OF_RULE: Readonly<Record<string, RegExp>> = {
  StatusChangeRule: /^status-change\./,
  RejectedEventsRule: /^status-change-rejected\./,
  ExecutionFailureRule: /^execution-status-change\./,
  DirectInvocationRule: /^no sample/,
};

export async function checkEventPatterns(account: DeployedAccount): Promise<Found[]> {
  const { files } = account;
  if (files.samples.size === 0)
    return [skipped('There are no samples in events/samples.', 'Run it in a clone of the repository.')];
  const findings: Found[] = [];
  for (const { logicalId, physicalId } of resourcesOf(account, 'AWS::Events::Rule')) {
    const described = await ask('events:DescribeRule', () => describeRule(account, physicalId));
    if (!described.ok) {
      findings.push(described.found);
      continue;
    }
    const { EventPattern, State } = described.reply;
    if (State === 'DISABLED')
      findings.push(differs(`The rule ${logicalId} is disabled.`, 'Enable it again, or deploy.'));
    if (EventPattern === undefined || EventPattern === '') continue;
    findings.push(...(await tryPattern(account, logicalId, EventPattern)));
  }
  return findings;
}

/** A rule on a bus of its own is `<bus>|<rule>`, or its name alone, in which case it is on the bus of the stack or on the default one. */
async function describeRule(
  { aws, stack }: DeployedAccount,
  physicalId: string,
): Promise<DescribeRuleCommandOutput> {
  const [bus, name] = physicalId.includes('|') ? physicalId.split('|', 2) : [undefined, physicalId];
  try {
    return await aws.eventBridge.send(new DescribeRuleCommand({ Name: name, EventBusName: bus }));
  } catch (error) {
    const ofStack = stack.outputs.get('EventBusName');
    const isElsewhere =
      error instanceof Error && error.name === 'ResourceNotFoundException' && bus === undefined;
    if (!isElsewhere || ofStack === undefined) throw error;
    return aws.eventBridge.send(new DescribeRuleCommand({ Name: name, EventBusName: ofStack }));
  }
}

async function tryPattern(account: DeployedAccount, rule: string, EventPattern: string): Promise<Found[]> {
  const { aws, files } = account;
  const meant = SAMPLES_OF_RULE[rule];
  if (meant === undefined) {
    return [
      skipped(
        `No sample is known to be for the rule ${rule}.`,
        'Add it to cli/prove/checks/event-patterns.ts.',
      ),
    ];
  }
  const missed: string[] = [];
  const extra: string[] = [];
  for (const [file, sample] of files.samples) {
    const Event = JSON.stringify(asOf(account, sample));
    const answer = await ask('events:TestEventPattern', () =>
      aws.eventBridge.send(new TestEventPatternCommand({ EventPattern, Event })),
    );
    if (!answer.ok) return [answer.found];
    const { Result = false } = answer.reply;
    if (Result !== meant.test(file)) (Result ? extra : missed).push(file);
  }
  const toDo = 'Compare eventSource with what your feeds send, and deploy again.';
  return [
    ...(missed.length === 0 ? [] : [differs(`The rule ${rule} does not match ${missed.join(', ')}.`, toDo)]),
    ...(extra.length === 0 ? [] : [differs(`The rule ${rule} matches ${extra.join(', ')} too.`, toDo)]),
    ...(missed.length + extra.length > 0
      ? []
      : [
          holds(
            [...files.samples.keys()].some((file) => meant.test(file))
              ? `The rule ${rule} matches its samples and none of the others.`
              : `The rule ${rule} has no sample, and matches none of the others.`,
          ),
        ]),
  ];
}

/** The sample as an event of this account would be: from the source, and about the state machine, of the stack. */
function asOf(account: DeployedAccount, sample: Sample): Sample {
  if (sample.source === 'aws.states') {
    const stateMachineArn = account.stack.outputs.get('ReconnectionWindowArn') ?? '';
    return { ...sample, detail: { ...sample.detail, stateMachineArn } };
  }
  return { ...sample, source: settingOf(account, 'EVENT_SOURCE') ?? sample.source };
}
