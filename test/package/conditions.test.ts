import { describe, expect, it } from 'vitest';
import { settleConditions } from '../../scripts/serverless/conditions.ts';
import type { Template } from '../../scripts/serverless/template.ts';

const IS_ON = { 'Fn::Equals': ['true', 'true'] };
const IS_OFF = { 'Fn::Equals': ['', 'true'] };

function settled(template: Partial<Template>): Template {
  const whole = { Resources: {}, Outputs: {}, ...template };
  settleConditions(whole);
  return whole;
}

describe('a condition of the template', () => {
  it('leaves out resources and outputs, and keeps the others without it', () => {
    const template = settled({
      Conditions: { On: IS_ON, Off: IS_OFF },
      Resources: {
        Kept: { Type: 'T', Condition: 'On', DependsOn: ['Always', 'Gone'] },
        Gone: { Type: 'T', Condition: 'Off' },
        Always: { Type: 'T' },
      },
      Outputs: { Gone: { Condition: 'Off', Value: 'x' }, Kept: { Condition: 'On', Value: 'y' } },
    });

    expect(template).toEqual({
      Resources: { Kept: { Type: 'T', DependsOn: ['Always'] }, Always: { Type: 'T' } },
      Outputs: { Kept: { Value: 'y' } },
    });
  });

  it('chooses a value wherever an Fn::If stands, also one within another', () => {
    const { Resources } = settled({
      Conditions: { On: IS_ON, Off: IS_OFF },
      Resources: {
        Thing: {
          Type: 'T',
          Properties: {
            a: { 'Fn::If': ['On', { Ref: 'A' }, 'b'] },
            b: [{ 'Fn::If': ['Off', 'x', { 'Fn::If': ['On', 'y', 'z'] }] }],
            c: { 'Fn::If': ['Off', 'x', { Ref: 'AWS::NoValue' }] },
            d: [1, { 'Fn::If': ['Off', 2, { Ref: 'AWS::NoValue' }] }],
          },
        },
      },
    });

    expect(Resources['Thing']?.Properties).toEqual({ a: { Ref: 'A' }, b: ['y'], d: [1] });
  });

  it.each([
    [{ 'Fn::Not': [IS_ON] }, false],
    [{ 'Fn::And': [IS_ON, { Condition: 'Off' }] }, false],
    [{ 'Fn::Or': [{ Condition: 'Off' }, IS_ON] }, true],
    [{ 'Fn::Equals': [1, '1'] }, true],
  ])('is decided by its operands: %j', (Asked, expected) => {
    const { Resources } = settled({
      Conditions: { Off: IS_OFF, Asked },
      Resources: { Thing: { Type: 'T', Condition: 'Asked' } },
    });

    expect('Thing' in Resources).toBe(expected);
  });

  it("leaves a policy statement's Condition alone", () => {
    const Properties = { Statement: [{ Effect: 'Allow', Condition: { StringEquals: { a: 'b' } } }] };

    expect(
      settled({ Resources: { Policy: { Type: 'T', Properties } } }).Resources['Policy']?.Properties,
    ).toEqual(Properties);
  });

  it.each([
    ['depends on what only CloudFormation knows', { On: { 'Fn::Equals': [{ Ref: 'Size' }, 'big'] } }],
    ['names one that is not there', { On: { Condition: 'constructor' } }],
  ])('is refused when it %s', (_what, Conditions) => {
    expect(() => settled({ Conditions })).toThrow('cannot be decided without CloudFormation');
  });

  it('is refused where a resource names one that is not there', () => {
    expect(() => settled({ Resources: { A: { Type: 'T', Condition: 'toString' } } })).toThrow(
      'The template has no condition toString.',
    );
  });
});
