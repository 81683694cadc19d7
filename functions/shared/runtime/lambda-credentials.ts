/**
 * Stands in every bundle for the SDK's chain of credential providers (scripts/build.ts): Lambda gives a function its
 * role's credentials in the environment, which is where the chain looks first. The rest of it (profiles, SSO, web
 * identities, instance metadata) is 120 KB and a third of the time that a bundle takes to load.
 *
 * Why: docs/decisions/deployment.md#bundles-take-credentials-from-the-environment-only
 */
export { fromEnv as defaultProvider } from '@aws-sdk/credential-provider-env';
