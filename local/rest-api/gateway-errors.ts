import type { LoopbackReply } from '../shared/loopback-server.ts';

/**
 * API Gateway's own errors, in the shape of the service that the API stands in front of (restJson1), as
 * GatewayResponses of a deployment can give them. Without such, an unknown route would be a 403 "Missing
 * Authentication Token".
 */
export const GATEWAY_ERRORS = {
  malformedPath: error(400, 'ValidationException', 'The path is not well-formed percent-encoding.'),
  noRoute: error(404, 'ResourceNotFoundException', 'The API has no route with this method and path.'),
  tooLarge: error(413, 'ValidationException', 'The request body is too large.'),
  functionFailed: error(502, 'InternalServerException', "The route's function failed."),
  badReply: error(502, 'InternalServerException', "The route's function gave no proxy reply."),
  functionTooSlow: error(504, 'InternalServerException', "The route's function did not answer within 29 s."),
} as const;

function error(status: number, type: string, message: string): LoopbackReply {
  return {
    status,
    headers: { 'content-type': 'application/json', 'x-amzn-errortype': type },
    body: JSON.stringify({ Message: message }),
  };
}
