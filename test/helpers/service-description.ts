import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { describeService } from '../../local/service/describe-service.ts';
import { LOCAL_ACCOUNT } from '../../local/service/read-service.ts';
import type { Service } from '../../local/service/service.ts';
import { printService } from '../../scripts/serverless/run-serverless.ts';
import { folderOfSources } from './sources.ts';

declare module 'vitest' {
  interface ProvidedContext {
    service: Service;
  }
}

/** Reads `serverless.yml` once for all test files, and again only when a source has changed: the framework takes seconds. */
export default async function setup(project: TestProject): Promise<void> {
  const file = join(await folderOfSources(), 'printed.json');
  const printed = await readFile(file, 'utf8').catch(async () => {
    const text = JSON.stringify(await printService({ stage: 'local' }));
    await writeFile(`${file}.${process.pid}`, text);
    await rename(`${file}.${process.pid}`, file);
    return text;
  });
  project.provide('service', describeService(JSON.parse(printed), { account: LOCAL_ACCOUNT }));
}
