import { describe, expect, it } from 'vitest';
import { compileInputTemplate } from '../event-bus/input-transformer.ts';

const EVENT = {
  version: '0',
  id: 'e-1',
  'detail-type': 'Order "placed"',
  source: 'shop',
  account: '123456789012',
  time: '2026-01-01T00:00:00Z',
  region: 'us-west-2',
  resources: [],
  detail: { text: 'a "quoted" $& word' },
} as const;
const RULE = { name: 'orders', arn: 'arn:aws:events:us-west-2:123456789012:rule/shop/orders' };
const INGESTED_AT_MS = Date.UTC(2026, 0, 1, 0, 0, 5, 750);
const transform = (template: string) => compileInputTemplate(template, 'here')(EVENT, RULE, INGESTED_AT_MS);

describe('an input transformer', () => {
  it('puts the event and the time at which the bus took it, in whole seconds, into its template', () => {
    expect(
      transform('{"at": <aws.events.event.ingestion-time>, "event": <aws.events.event.json>, "v": 1}'),
    ).toEqual({ at: '2026-01-01T00:00:05Z', event: EVENT, v: 1 });
  });

  it('knows the rule, and the event without its detail', () => {
    const { detail: _, ...envelope } = EVENT;

    expect(
      transform('{"r": [<aws.events.rule-name>, <aws.events.rule-arn>], "e": <aws.events.event>}'),
    ).toEqual({ r: [RULE.name, RULE.arn], e: envelope });
  });

  it.each([
    ['a variable of its own', '{"a": <order>}'],
    ['a variable inside a string', '{"a": "<aws.events.rule-name>"}'],
    ['a text', '"it is <aws.events.event.ingestion-time>"'],
    ['what is no JSON', '{"a": <aws.events.rule-name>'],
    ['a template of more than 8,192 characters', `{"a": "${'a'.repeat(8_192)}"}`],
  ])('is refused with its path when it has %s', (_, template) => {
    expect(() => compileInputTemplate(template, 'here')).toThrow(/^here: /);
  });
});
