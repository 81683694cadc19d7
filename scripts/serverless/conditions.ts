/**
 * Decides the template's conditions. Parameters are the framework's, so each condition is known when the template is
 * written; CloudFormation and its validators then get what will be deployed, without branches that cannot happen.
 */
import type { Resource, Template } from './template.ts';

type Decided = Readonly<Record<string, boolean>>;

const NO_VALUE = 'AWS::NoValue';

/**
 * Takes out what a false condition leaves out, and puts in the chosen value for every `Fn::If`.
 *
 * @throws Error when a condition depends on more than literals, or is not there.
 */
export function settleConditions(template: Template): void {
  const { Conditions: conditions = {}, Resources, Outputs } = template;
  const decided: Decided = Object.fromEntries(
    Object.keys(conditions).map((name) => [name, decide({ Condition: name }, conditions)]),
  );
  const isWanted = ({ Condition }: { readonly Condition?: string }) =>
    Condition === undefined || chosenBy(Condition, decided);
  for (const part of [Resources, Outputs]) {
    for (const [logicalId, entry] of Object.entries(part)) {
      if (!isWanted(entry)) delete part[logicalId];
      else {
        delete entry.Condition;
        part[logicalId] = Object.assign(entry, choose({ ...entry }, decided));
      }
    }
  }
  for (const resource of Object.values(Resources)) keepDependencies(resource, Resources);
  delete template.Conditions;
}

function keepDependencies(resource: Resource, resources: Template['Resources']): void {
  if (resource.DependsOn === undefined) return;
  resource.DependsOn = [resource.DependsOn].flat().filter((logicalId) => Object.hasOwn(resources, logicalId));
}

function chosenBy(name: string, decided: Decided): boolean {
  const value = Object.hasOwn(decided, name) ? decided[name] : undefined;
  if (value === undefined) throw new Error(`The template has no condition ${name}.`);
  return value;
}

function decide(condition: unknown, conditions: Readonly<Record<string, unknown>>): boolean {
  const [[operator, argument] = ['', undefined]] = isRecord(condition) ? Object.entries(condition) : [];
  const operands: readonly unknown[] = Array.isArray(argument) ? argument : [argument];
  switch (operator) {
    case 'Condition':
      if (typeof argument !== 'string' || !Object.hasOwn(conditions, argument)) break;
      return decide(conditions[argument], conditions);
    case 'Fn::Equals':
      if (operands.some((operand) => typeof operand === 'object')) break;
      return String(operands[0]) === String(operands[1]);
    case 'Fn::Not':
      return !decide(operands[0], conditions);
    case 'Fn::And':
      return operands.every((operand) => decide(operand, conditions));
    case 'Fn::Or':
      return operands.some((operand) => decide(operand, conditions));
  }
  throw new Error(`The condition ${JSON.stringify(condition)} cannot be decided without CloudFormation.`);
}

/** The value with every `Fn::If` replaced; undefined when it is `AWS::NoValue`. */
function choose(value: unknown, decided: Decided): unknown {
  if (Array.isArray(value)) {
    return value.map((item: unknown) => choose(item, decided)).filter((item) => item !== undefined);
  }
  if (!isRecord(value)) return value;
  const branches = value['Fn::If'];
  if (Array.isArray(branches)) {
    const [name, whenTrue, otherwise]: readonly unknown[] = branches;
    return choose(chosenBy(String(name), decided) ? whenTrue : otherwise, decided);
  }
  if (value['Ref'] === NO_VALUE) return undefined;
  const chosen = Object.entries(value).map(([key, item]) => [key, choose(item, decided)] as const);
  return Object.fromEntries(chosen.filter(([, item]) => item !== undefined));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
