import { mockClient as mockClientUntilRestored } from 'aws-sdk-client-mock';
import { afterAll } from 'vitest';

/**
 * Mocks an SDK client's class for the tests of one file, and restores it after them: test files of one worker share their
 * modules, so the next file would find the class mocked. Call it at the top of a file, not inside a test.
 */
export const mockClient: typeof mockClientUntilRestored = (client) => {
  const mock = mockClientUntilRestored(client);
  afterAll(() => mock.restore());
  return mock;
};
