import { inject } from 'vitest';
import type { LocalStackOptions } from '../../local/local-stack.ts';
import { packagedService } from './packaged-service.ts';

/** The service and its bundles as the run has read and packaged them, for a local stack that would do both again. */
export async function builtService(): Promise<NonNullable<LocalStackOptions['built']>> {
  const { bundleFolder } = await packagedService();
  return { service: inject('service'), bundleFolder };
}
