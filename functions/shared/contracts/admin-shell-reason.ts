import * as z from 'zod';

/** Why an operator asks for an admin shell: printable ASCII, as an HTTP header can carry it. */
export const adminShellReasonSchema = z.string().regex(/^[\x20-\x7E]{1,256}$/);
