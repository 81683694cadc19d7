import { z } from 'zod';
import { ServiceDescriptionError } from '../service/description-error.ts';
import type { EventEnvelope } from './put-events.ts';

/** EventBridge User Guide, "Amazon EventBridge input transformation". */
const MAX_TEMPLATE_CHARACTERS = 8192;
const PLACEHOLDER = /<([^<>\s"]+)>/g;
const JSON_STRING = /"(?:[^"\\]|\\.)*"/g;

/** What a predefined variable stands for, as JSON text. */
type Variable = (event: EventEnvelope, rule: DeliveringRule, ingestedAtMs: number) => string;

export interface DeliveringRule {
  readonly name: string;
  readonly arn: string;
}

const VARIABLES: Readonly<Record<string, Variable>> = {
  'aws.events.rule-arn': (_event, { arn }) => JSON.stringify(arn),
  'aws.events.rule-name': (_event, { name }) => JSON.stringify(name),
  'aws.events.event.ingestion-time': (_event, _rule, ingestedAtMs) =>
    JSON.stringify(new Date(ingestedAtMs).toISOString().replace(/\.\d{3}Z$/, 'Z')),
  'aws.events.event.json': (event) => JSON.stringify(event),
  'aws.events.event': ({ detail: _, ...event }) => JSON.stringify(event),
};

const objectSchema = z.record(z.string(), z.unknown());

export type InputTransformer = (
  event: EventEnvelope,
  rule: DeliveringRule,
  ingestedAtMs: number,
) => Readonly<Record<string, unknown>>;

/**
 * Reads the `InputTemplate` of a target. It must be a JSON object in which EventBridge's predefined variables stand where
 * a value does: `{"event": <aws.events.event.json>}`.
 *
 * @throws ServiceDescriptionError for what EventBridge has and this does not: variables of the template's own, text
 *   templates, and variables inside a string.
 */
export function compileInputTemplate(template: string, path: string): InputTransformer {
  const refuse = (reason: string) => new ServiceDescriptionError(path, reason);
  if (template.length > MAX_TEMPLATE_CHARACTERS) {
    throw refuse(`must not be longer than ${MAX_TEMPLATE_CHARACTERS} characters`);
  }
  for (const [, name = ''] of template.matchAll(PLACEHOLDER)) {
    if (!Object.hasOwn(VARIABLES, name)) throw refuse(`<${name}> is no predefined variable of EventBridge`);
  }
  if ([...template.matchAll(JSON_STRING)].some(([text]) => /<[^<>\s]+>/.test(text))) {
    throw refuse('the stand-ins know no variables inside a string');
  }
  // Any value will do to see whether what is around the variables is JSON.
  if (parseObject(template.replaceAll(PLACEHOLDER, 'null')) === undefined) {
    throw refuse('must be a JSON object with variables for values');
  }
  return (event, rule, ingestedAtMs) =>
    objectSchema.parse(
      JSON.parse(
        template.replaceAll(
          PLACEHOLDER,
          (_placeholder, name: string) => VARIABLES[name]?.(event, rule, ingestedAtMs) ?? 'null',
        ),
      ),
    );
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    return objectSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
