import type { TestProject } from 'vitest/node';
import { readService } from '../../local/service/read-service.ts';
import type { Service } from '../../local/service/service.ts';

declare module 'vitest' {
  interface ProvidedContext {
    service: Service;
  }
}

/** Reads `serverless.yml` once for all test files: the framework takes more than a second to do it. */
export default async function setup(project: TestProject): Promise<void> {
  project.provide('service', await readService());
}
