export type { InvokeLambda, LambdaFailure, LambdaResult } from 'local-server-kit';
export { defaultStartQuotas, type StartQuotas, StartThrottle } from './api/start-quota.ts';
export type { ExecutionStatusChange } from './api/status-change.ts';
export { checkDefinition, type DefinitionError } from './definition/check.ts';
export { startStepFunctions } from './server.ts';
