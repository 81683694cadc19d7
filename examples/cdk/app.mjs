// The reconnection service in a CDK app: CfnInclude takes the template, assets take the code. See docs/adopting.md.
import { join, resolve } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { ManagedPolicy, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import { CfnInclude } from 'aws-cdk-lib/cloudformation-include';
import { readTemplate } from './read-template.mjs';

const folder = resolve(process.env['RECONNECTION_TEMPLATE'] ?? '../../dist-cloudformation');
const { templateFile, codeOf } = readTemplate(folder);

const app = new App();
const stack = new Stack(app, 'stream-session-reconnection-dev', { env: { region: 'us-west-2' } });
const service = new CfnInclude(stack, 'Reconnection', { templateFile });
for (const [logicalId, zip] of Object.entries(codeOf)) {
  const { s3BucketName, s3ObjectKey } = new Asset(stack, `${logicalId}Code`, { path: join(folder, zip) });
  service.getResource(logicalId).code = { s3Bucket: s3BucketName, s3Key: s3ObjectKey };
}

// The game's backend may request connections.
const backend = new Role(stack, 'Backend', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
const policy = ManagedPolicy.fromManagedPolicyArn(
  stack,
  'BackendPolicyOfService',
  service.getResource('BackendPolicy').ref,
);
backend.addManagedPolicy(policy);

app.synth();
