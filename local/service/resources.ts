import type { z } from 'zod';
import { parseAt, ServiceDescriptionError } from './description-error.ts';
import { holds, type IntrinsicScope } from './intrinsics.ts';
import {
  busPropertiesSchema,
  queuePropertiesSchema,
  RESOURCE_TYPES_WITHOUT_LOCAL_MEANING,
  resourceSchema,
  resourcesSchema,
  rulePropertiesSchema,
  tablePropertiesSchema,
} from './schemas.ts';

interface Parsed<Schema extends z.ZodType> {
  readonly logicalId: string;
  readonly properties: z.output<Schema>;
}

export interface ParsedResources {
  readonly tables: Parsed<typeof tablePropertiesSchema>[];
  readonly queues: Parsed<typeof queuePropertiesSchema>[];
  readonly buses: Parsed<typeof busPropertiesSchema>[];
  readonly rules: Parsed<typeof rulePropertiesSchema>[];
}

/**
 * The conditions of the template, evaluated.
 *
 * @param scope what a condition may name: the pseudo parameters.
 * @throws ServiceDescriptionError for a function that the stand-ins do not know.
 */
export function evaluateConditions(printed: unknown, scope: IntrinsicScope): Record<string, boolean> {
  const { Conditions } = parseAt(resourcesSchema, printed ?? {}, 'resources');
  return Object.fromEntries(
    Object.entries(Conditions).map(([name, condition]) => [
      name,
      holds(condition, scope, `resources.Conditions.${name}`),
    ]),
  );
}

/**
 * The resources whose condition holds.
 *
 * @throws ServiceDescriptionError for a type, a property or a condition that the stand-ins do not know.
 */
export function parseResources(
  printed: unknown,
  conditions: Readonly<Record<string, boolean>>,
): ParsedResources {
  const parsed: ParsedResources = { tables: [], queues: [], buses: [], rules: [] };
  const { Resources } = parseAt(resourcesSchema, printed ?? {}, 'resources');
  for (const [logicalId, resource] of Object.entries(Resources)) {
    add(parsed, logicalId, resource, conditions);
  }
  return parsed;
}

function add(
  parsed: ParsedResources,
  logicalId: string,
  resource: unknown,
  conditions: Readonly<Record<string, boolean>>,
): void {
  const path = `resources.Resources.${logicalId}`;
  const { Type, Properties, Condition } = parseAt(resourceSchema, resource, path);
  if (Condition !== undefined) {
    const isWanted = conditions[Condition];
    if (isWanted === undefined) {
      throw new ServiceDescriptionError(`${path}.Condition`, `the template has no condition ${Condition}`);
    }
    if (!isWanted) return;
  }
  const within = `${path}.Properties`;
  switch (Type) {
    case 'AWS::DynamoDB::Table':
      parsed.tables.push({ logicalId, properties: parseAt(tablePropertiesSchema, Properties, within) });
      return;
    case 'AWS::SQS::Queue':
      parsed.queues.push({ logicalId, properties: parseAt(queuePropertiesSchema, Properties, within) });
      return;
    case 'AWS::Events::EventBus':
      parsed.buses.push({ logicalId, properties: parseAt(busPropertiesSchema, Properties, within) });
      return;
    case 'AWS::Events::Rule':
      parsed.rules.push({ logicalId, properties: parseAt(rulePropertiesSchema, Properties, within) });
      return;
    default:
      if (!RESOURCE_TYPES_WITHOUT_LOCAL_MEANING.has(Type)) {
        throw new ServiceDescriptionError(`${path}.Type`, `the stand-ins do not know ${Type}`);
      }
  }
}
