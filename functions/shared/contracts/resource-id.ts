import * as z from 'zod';

/** The service's pattern for a resource's short id; its identifiers are 1 to 128 characters long. */
export const resourceIdSchema = z.string().regex(/^[a-zA-Z0-9-]{1,128}$/);
