import type { z } from 'zod';

/** `serverless.yml` has something that the stand-ins do not know; ignoring it would make them lie. */
export class ServiceDescriptionError extends Error {
  override readonly name = 'ServiceDescriptionError';
  readonly path: string;

  constructor(path: string, problem: string) {
    super(`${path}: ${problem}`);
    this.path = path;
  }
}

/** @throws ServiceDescriptionError that names the path of each value which does not fit. */
export function parseAt<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  path: string,
): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [first, ...others] = result.error.issues.map((issue) => ({
    path: [path, ...issue.path.map(String)].join('.'),
    message: issue.message,
  }));
  const where = first?.path ?? path;
  const also = others.map((issue) => `; ${issue.path}: ${issue.message}`).join('');
  throw new ServiceDescriptionError(where, `${first?.message ?? 'does not fit'}${also}`);
}
