import * as z from 'zod';

/**
 * A number of an item: whole milliseconds, seconds, microseconds or a count. Only whole numbers rest in the table, because
 * DynamoDB adds decimals exactly and a double does not. A fraction that other code has left is rounded: one number must not
 * make an item unreadable.
 */
export const wholeNumberSchema = z.number().overwrite(Math.round);
