import { configureGlobal } from 'fast-check';

/**
 * The same code gets the same verdict: properties are tried on the same 1,000 or so examples in every run.
 * `FAST_CHECK_SEED=$RANDOM npm test` tries others; what fails prints its seed and the smallest example.
 */
configureGlobal({ seed: Number(process.env['FAST_CHECK_SEED'] ?? 1) });
