/**
 * DynamoDB's limits that a call of this service could ever meet. Both tables, dynalite and the one in memory, hold
 * them. Sources, all of the Amazon DynamoDB Developer Guide: "Constraints in Amazon DynamoDB" (C), "Quotas" (Q),
 * "DynamoDB item sizes and formats" (S), "Burst and adaptive capacity" (B), "Supported data types" (D).
 * Why: docs/decisions/local-stack.md#both-tables-have-dynamodbs-limits
 */

/** Of one expression string, in UTF-8 (C, "Expression parameters"). */
export const MAX_EXPRESSION_BYTES = 4096;
/** Operators and functions in one expression (C). `SET a = :b + :c + :d` has two; `=` and a path of REMOVE are none. */
export const MAX_EXPRESSION_OPERATORS = 300;
/** Of a placeholder, such as `#name` or `:value` (C). */
export const MAX_PLACEHOLDER_CHARACTERS = 255;

/** 400 KB, names included (C, "Items"). */
export const MAX_ITEM_BYTES = 400 * 1024;
/** Of a partition key's value and of a sort key's (C); dynalite holds both, and its validation is the memory table's. */
export const MAX_PARTITION_KEY_BYTES = 2048;
export const MAX_SORT_KEY_BYTES = 1024;

/** Significant digits of a number (D). */
export const MAX_NUMBER_DIGITS = 38;
/** The power of ten of the first digit: up to 9.9…E+125, and down to 1E-130 (D). */
export const MAX_NUMBER_EXPONENT = 125;
export const MIN_NUMBER_EXPONENT = -130;

/** Write units a second of one partition, and so of one key (B). A unit writes up to 1 KB, and is used up by a failed condition, too (S). */
export const MAX_WRITE_UNITS_PER_SECOND = 1000;
export const WRITE_UNIT_BYTES = 1024;
/** Read units a second of one partition (B). A unit reads up to 4 KB; an eventually consistent read takes half (S). */
export const MAX_READ_UNITS_PER_SECOND = 3000;
export const READ_UNIT_BYTES = 4096;

/** What one Query reads at most before it ends its page (Q). */
export const MAX_QUERY_PAGE_BYTES = 1024 * 1024;
/** What one BatchGetItem gives back at most; what is left is in UnprocessedKeys (Q). */
export const MAX_BATCH_BYTES = 16 * 1024 * 1024;
