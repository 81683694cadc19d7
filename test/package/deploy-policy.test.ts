import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  documentOf,
  EXAMPLE_SCOPE,
  policyOfCloudFormation,
  policyOfDeployer,
  TYPES_WITH_NEEDS,
} from '../../scripts/deploy-policy.ts';
import { REPOSITORY_DIRECTORY } from '../../scripts/serverless/run-serverless.ts';
import { packagedService } from '../helpers/packaged-service.ts';

const { template } = await packagedService();
const types = [...new Set(Object.values(template.Resources).map(({ Type }) => Type))].sort();
const policies = [
  ['who deploys', policyOfDeployer(EXAMPLE_SCOPE)],
  ['CloudFormation', policyOfCloudFormation(types, EXAMPLE_SCOPE)],
] as const;

describe('the policies of a deployment', () => {
  it('are those in docs/deploy-policy.json, made from the template (npm run deploy-policy -- --write)', async () => {
    const document = await readFile(join(REPOSITORY_DIRECTORY, 'docs', 'deploy-policy.json'), 'utf8');

    expect(document).toBe(documentOf(types, EXAMPLE_SCOPE));
  });

  it('know every type of the template, and no other', () => {
    expect(types).toEqual([...TYPES_WITH_NEEDS].sort());
  });

  it('are not made for a template with a type that nobody has looked up', () => {
    expect(() => policyOfCloudFormation(['AWS::SQS::Queue', 'AWS::New::Thing'], EXAMPLE_SCOPE)).toThrow(
      'does not know what AWS::New::Thing need to be deployed',
    );
  });
});

describe('the policy of CloudFormation', () => {
  it("may put the stack's tags on a dashboard, which has none in the template", () => {
    const { Statement } = policyOfCloudFormation(['AWS::CloudWatch::Dashboard'], EXAMPLE_SCOPE);

    expect(Statement[0]).toMatchObject({
      Action: expect.arrayContaining(['cloudwatch:ListTagsForResource', 'cloudwatch:TagResource']),
      Resource: 'arn:aws:cloudwatch::111122223333:dashboard/stream-session-reconnection-prod*',
    });
  });
});

describe.each(policies)('the policy of %s', (_who, policy) => {
  it('allows by name, and on everything only what has no resource of this service', () => {
    const onEverything = policy.Statement.filter(({ Resource }) => Resource === '*');

    for (const action of policy.Statement.flatMap(({ Action }) => Action)) expect(action).not.toContain('*');
    expect(onEverything.flatMap(({ Action }) => Action).sort()).toMatchSnapshot();
  });

  it('passes roles to the services of the template alone', () => {
    const passing = policy.Statement.filter(({ Action }) => Action.includes('iam:PassRole'));

    for (const { Condition } of passing) {
      expect(Condition).toEqual({
        StringEquals: {
          'iam:PassedToService': ['apigateway.amazonaws.com', 'lambda.amazonaws.com', 'states.amazonaws.com'],
        },
      });
    }
  });

  it('is of one account, one Region and one stage', () => {
    const arns = policy.Statement.flatMap(({ Resource }) => Resource).filter((arn) => arn !== '*');

    for (const arn of arns) {
      const [, , service = '', region, account] = arn.split(':');
      if (service !== 's3' && service !== 'apigateway') expect(account, arn).toBe('111122223333');
      expect(['', 'us-west-2'], arn).toContain(region);
    }
  });

  it('fits into a role: 10,240 characters without white space', () => {
    expect(JSON.stringify(policy).length).toBeLessThan(10_240);
  });
});
