import { z } from 'zod';
import { type Resource, resourcesOfType, type Template } from './packaged-service.ts';

/** What a packaged template says, in a form that tests can compare. */

/** `{ "Fn::GetAtt": ["Table", "Arn"] }` as `${Table.Arn}`, `{ "Ref": "Table" }` as `${Table}`, text as it is. */
export function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null) return String(value);
  const [entry, ...others] = Object.entries(value);
  const [name, argument]: [string, unknown] = entry ?? ['', undefined];
  if (others.length > 0) return JSON.stringify(value);
  const list: unknown[] = Array.isArray(argument) ? argument : [argument];
  switch (name) {
    case 'Ref':
      return `\${${String(argument)}}`;
    case 'Fn::GetAtt':
      return `\${${list.map(String).join('.')}}`;
    case 'Fn::Sub':
      return list.length === 1 ? textOf(list[0]) : JSON.stringify(value);
    case 'Fn::Join':
      return (Array.isArray(list[1]) ? list[1] : []).map(textOf).join(String(list[0]));
    case 'Fn::If':
      return `if ${String(list[0])} then ${textOf(list[1])} else ${textOf(list[2])}`;
    default:
      return JSON.stringify(value);
  }
}

export interface Statement {
  readonly effect: string;
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  readonly condition: unknown;
}

const oneOrMany = z.union([z.string().transform((action) => [action]), z.array(z.string())]);
const documentSchema = z.object({
  Statement: z.array(
    z.strictObject({
      Sid: z.string().optional(),
      Effect: z.string(),
      Action: oneOrMany,
      Resource: z.unknown(),
      Condition: z.unknown().optional(),
      Principal: z.unknown().optional(),
    }),
  ),
});
const inlinePoliciesSchema = z.array(z.looseObject({ PolicyDocument: z.unknown() }));

export function statementsOf(document: unknown): Statement[] {
  return documentSchema.parse(document).Statement.map(({ Effect, Action, Resource, Condition }) => ({
    effect: Effect,
    actions: Action,
    resources: [Resource].flat().map(textOf),
    condition: Condition,
  }));
}

/** Every statement of a role's own policies; managed ones are not among them. */
export function roleStatements(role: Resource): Statement[] {
  return inlinePoliciesSchema
    .parse(role.Properties['Policies'] ?? [])
    .flatMap(({ PolicyDocument }) => statementsOf(PolicyDocument));
}

export interface PackagedFunction {
  readonly logicalId: string;
  /** Its key in `serverless.yml`, such as `checkSession`. */
  readonly key: string;
  /** Its folder in `functions/`, such as `check-session`. */
  readonly folder: string;
  readonly resource: Resource;
  readonly roleId: string;
  readonly statements: readonly Statement[];
}

export function functionsOf(template: Template): PackagedFunction[] {
  return resourcesOfType(template, 'AWS::Lambda::Function').map(([logicalId, resource]) => {
    const [, folder = ''] =
      /^dist\/([\w-]+)\/handler\.handler$/.exec(textOf(resource.Properties['Handler'])) ?? [];
    const roleId = /^\$\{(\w+)\.Arn\}$/.exec(textOf(resource.Properties['Role']))?.[1] ?? '';
    const role = template.Resources[roleId];
    return {
      logicalId,
      key: folder.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase()),
      folder,
      resource,
      roleId,
      statements: role === undefined ? [] : roleStatements(role),
    };
  });
}

/** The one resource of a type; throws when there is none, or more. */
export function onlyResource(template: Template, type: string): readonly [string, Resource] {
  const [only, ...others] = resourcesOfType(template, type);
  if (only === undefined || others.length > 0) throw new Error(`The template must have one ${type}.`);
  return only;
}
