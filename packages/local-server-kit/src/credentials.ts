/** Credentials that every stand-in takes and nothing else does: AWS's own example key. */
export const LOCAL_CREDENTIALS = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'local' };
