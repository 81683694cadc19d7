/**
 * Turns the framework's template into one that CloudFormation's other tools take: without the framework's bucket, and with each
 * function's code as a zip beside the template, which `aws cloudformation package` uploads.
 */
import { basename } from 'node:path';
import { z } from 'zod';
import type { Template } from './template.ts';

const codeSchema = z.looseObject({ S3Key: z.string() });

/** @returns the names of the zips that the template names. */
export function standAlone(template: Template): string[] {
  const { Resources, Outputs } = template;
  delete Resources['ServerlessDeploymentBucket'];
  delete Resources['ServerlessDeploymentBucketPolicy'];
  delete Outputs['ServerlessDeploymentBucketName'];
  for (const { Type, Properties = {} } of Object.values(Resources)) {
    // The framework says "none" by empty text, which CDK refuses.
    if (Type === 'AWS::ApiGateway::RestApi' && Properties['Policy'] === '') delete Properties['Policy'];
  }
  return Object.values(Resources).flatMap((resource) => {
    if (resource.Type !== 'AWS::Lambda::Function') return [];
    const zip = basename(codeSchema.parse(resource.Properties?.['Code']).S3Key);
    resource.Properties = { ...resource.Properties, Code: `./${zip}` };
    return [zip];
  });
}
