/** Whether Step Functions takes the definitions, and decides as the stand-in does. */
import {
  DescribeStateMachineCommand,
  TestStateCommand,
  ValidateStateMachineDefinitionCommand,
} from '@aws-sdk/client-sfn';
import { type DeployedAccount, resourcesOf } from '../account.ts';
import { ask, differs, type Found, holds, oneLine, skipped } from '../finding.ts';
import { STATE_CASES } from '../state-cases.ts';

export async function checkStateMachines(account: DeployedAccount): Promise<Found[]> {
  const { stepFunctions } = account.aws;
  const findings: Found[] = [];
  for (const { logicalId, physicalId } of resourcesOf(account, 'AWS::StepFunctions::StateMachine')) {
    const described = await ask('states:DescribeStateMachine', () =>
      stepFunctions.send(new DescribeStateMachineCommand({ stateMachineArn: physicalId })),
    );
    if (!described.ok) {
      findings.push(described.found);
      continue;
    }
    const { definition, type, status, loggingConfiguration } = described.reply;
    if (status === 'DELETING') findings.push(differs(`${logicalId} is being deleted.`, 'Deploy again.'));
    if (loggingConfiguration?.includeExecutionData === true) {
      findings.push(
        differs(
          `${logicalId} logs execution data, which holds offers.`,
          'Deploy again, and turn includeExecutionData off.',
        ),
      );
    }
    const validated = await ask('states:ValidateStateMachineDefinition', () =>
      stepFunctions.send(
        new ValidateStateMachineDefinitionCommand({ definition, type, severity: 'WARNING', maxResults: 20 }),
      ),
    );
    if (!validated.ok) {
      findings.push(validated.found);
      continue;
    }
    const { result, diagnostics = [] } = validated.reply;
    const errors = diagnostics.filter(({ severity }) => severity === 'ERROR');
    for (const { code, message = '', location = '' } of errors) {
      findings.push(
        differs(
          `${logicalId}: ${code} at ${location || 'the top'}: ${oneLine(message)}`,
          'Attach the report to an issue.',
        ),
      );
    }
    if (errors.length === 0 && result === 'FAIL') {
      findings.push(
        differs(
          `Step Functions finds the definition of ${logicalId} invalid, and does not say why.`,
          'Attach the report to an issue.',
        ),
      );
    }
    const warnings = diagnostics.length - errors.length;
    if (result === 'OK') {
      findings.push(
        holds(
          `Step Functions finds the definition of ${logicalId} valid${warnings === 0 ? '' : `, with ${warnings} warnings`}.`,
        ),
      );
    }
  }
  return findings;
}

/** Tries states whose decision is known: TestState runs one state, without an execution and without its functions. */
export async function checkStates(account: DeployedAccount): Promise<Found[]> {
  const { stepFunctions } = account.aws;
  const machines = new Map(
    resourcesOf(account, 'AWS::StepFunctions::StateMachine').map(({ logicalId, physicalId }) => [
      logicalId,
      physicalId,
    ]),
  );
  const definitions = new Map<string, string>();
  const findings: Found[] = [];
  const right: string[] = [];
  for (const { machine, state, variables, next, because } of STATE_CASES) {
    const stateMachineArn = machines.get(machine);
    if (stateMachineArn === undefined) continue;
    if (!definitions.has(machine)) {
      const described = await ask('states:DescribeStateMachine', () =>
        stepFunctions.send(new DescribeStateMachineCommand({ stateMachineArn })),
      );
      if (!described.ok) return [...findings, described.found];
      definitions.set(machine, described.reply.definition ?? '');
    }
    const definition = definitions.get(machine) ?? '';
    if (!hasState(definition, state)) {
      findings.push(
        skipped(`${machine} has no state ${state}.`, 'Run prove of the commit that is deployed.'),
      );
      continue;
    }
    const tried = await ask('states:TestState', () =>
      stepFunctions.send(
        new TestStateCommand({
          definition,
          stateName: state,
          input: '{}',
          variables: JSON.stringify(variables),
        }),
      ),
    );
    // What is not allowed for one state is allowed for none.
    if (!tried.ok) return [...findings, tried.found];
    const { nextState, status, error, cause = '' } = tried.reply;
    if (nextState === next) right.push(`${state} → ${next}`);
    else {
      const instead =
        nextState ?? `${status}${error === undefined ? '' : ` with ${error}: ${oneLine(cause)}`}`;
      findings.push(
        differs(
          `${machine}: ${state} ${because} goes to ${instead}, and not to ${next}.`,
          'Attach the report to an issue.',
        ),
      );
    }
  }
  return right.length === 0
    ? findings
    : [...findings, holds(`${right.length} decisions of states are as on the stand-in.`)];
}

function hasState(definition: string, state: string): boolean {
  try {
    const parsed: unknown = JSON.parse(definition);
    const states: unknown =
      typeof parsed === 'object' && parsed !== null ? Reflect.get(parsed, 'States') : undefined;
    return typeof states === 'object' && states !== null && Object.hasOwn(states, state);
  } catch {
    return false;
  }
}
