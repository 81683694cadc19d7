import type { z } from 'zod';
import { parseAt, ServiceDescriptionError } from './description-error.ts';
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

/** @throws ServiceDescriptionError for a type or property that the stand-ins do not know. */
export function parseResources(printed: unknown): ParsedResources {
  const parsed: ParsedResources = { tables: [], queues: [], buses: [], rules: [] };
  // The framework takes one set of resources or a list of them.
  const sets = Array.isArray(printed) ? printed : [printed ?? {}];
  for (const set of sets) {
    const { Resources } = parseAt(resourcesSchema, set, 'resources');
    for (const [logicalId, resource] of Object.entries(Resources)) add(parsed, logicalId, resource);
  }
  return parsed;
}

function add(parsed: ParsedResources, logicalId: string, resource: unknown): void {
  const path = `resources.Resources.${logicalId}`;
  const { Type, Properties } = parseAt(resourceSchema, resource, path);
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
