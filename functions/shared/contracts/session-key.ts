import * as z from 'zod';

/** The service's pattern for a resource's short id; its identifiers are 1 to 128 characters long. */
export const resourceIdSchema = z.string().regex(/^[a-zA-Z0-9-]{1,128}$/);

export const sessionKeySchema = z.object({
  streamGroupId: resourceIdSchema.describe('Short id of the stream group, such as sg-1AB2C3De4'),
  streamSessionId: resourceIdSchema
    // An execution's name is the session id, a hyphen and the window's number, in 80 characters.
    .max(68)
    .describe('Short id of the stream session, such as ABC123def4567'),
});
/** Names one stream session within the account and Region that this service is deployed to. */
export type SessionKey = z.infer<typeof sessionKeySchema>;
