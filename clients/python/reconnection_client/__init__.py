"""A boto3 client of the reconnection API.

The package brings a model of the API, so boto3 signs for `execute-api` by itself and need not know GameLift Streams. Credentials
and Region are found as boto3 always finds them.

    client = create_reconnection_client("https://a1b2c3d4e5.execute-api.us-west-2.amazonaws.com/dev")
    answer = reconnect(client, "sg-1AB2C3De4", "ABC123def4567", offer, user_id="player-1")
"""

import os

import boto3
import botocore.session

SERVICE_NAME = "streamreconnection"
_DATA_PATH = os.path.join(os.path.dirname(__file__), "data")


class UnreadableReplyError(Exception):
    """The reply is not the API's, such as the HTML page of a proxy. The request can be repeated."""

    def __init__(self):
        super().__init__("The reply is not the API's. Is the endpoint right, and is there a proxy on the way?")


def create_reconnection_client(endpoint_url, **options):
    """Returns a boto3 client for the API at `endpoint_url`, which has the stage in it.

    It has the operations create_stream_session_connection, create_stream_session_admin_shell, terminate_stream_session, note_leaving
    and get_reconnection_window. A refusal is a ClientError, and its `response` has the members ReconnectionCode, RetryAfterSeconds,
    Outcome and StatusReason where the API sends them. `options` are those of boto3's `Session.client`.
    """
    session = botocore.session.get_session()
    session.get_component("data_loader").search_paths.append(_DATA_PATH)
    return boto3.Session(botocore_session=session).client(SERVICE_NAME, endpoint_url=endpoint_url, **options)


def reconnect(client, stream_group, stream_session, signal_request, user_id=None):
    """Returns the answer to a player's offer. The client's own retries keep the ClientToken.

    `user_id` is who asks, as the session's UserId says it, where the API checks that (`userIdCheck`).
    Raises botocore's ClientError when the API refuses, and UnreadableReplyError when the reply is not the API's.
    """
    request = {
        "Identifier": stream_group,
        "StreamSessionIdentifier": stream_session,
        "SignalRequest": signal_request,
    }
    if user_id is not None:
        request["UserId"] = user_id
    reply = _send(client.create_stream_session_connection, request)
    answer = reply.get("SignalResponse") if isinstance(reply, dict) else None
    if not isinstance(answer, str) or answer == "":
        raise UnreadableReplyError()
    return answer


def end_session(client, stream_group, stream_session, user_id=None, ended_by=None):
    """Ends a session on purpose: its window does not count as lost. Harmless when repeated.

    `ended_by` is LEFT for its player, which is the default, or OPERATOR. Raises as `reconnect` does.
    """
    request = {"Identifier": stream_group, "StreamSessionIdentifier": stream_session}
    if user_id is not None:
        request["UserId"] = user_id
    if ended_by is not None:
        request["EndedBy"] = ended_by
    _expect_no_content(_send(client.terminate_stream_session, request))


def say_perhaps_leaving(client, stream_group, stream_session, client_token, within_seconds, user_id=None):
    """Says that the player's page goes away, perhaps for good. Unless a newer offer comes, the API ends the session after that time.

    `client_token` is the one of the connection that goes away, and `within_seconds` is 5 to the session's ConnectionTimeoutSeconds.
    Raises as `reconnect` does.
    """
    request = {
        "Identifier": stream_group,
        "StreamSessionIdentifier": stream_session,
        "clientToken": client_token,
        "withinSeconds": within_seconds,
    }
    if user_id is not None:
        request["UserId"] = user_id
    _expect_no_content(_send(client.note_leaving, request))


def _send(operation, request):
    try:
        return operation(**request)
    except (AttributeError, TypeError, ValueError, RecursionError):
        # botocore's parser expects a JSON object in UTF-8, and whole seconds in Retry-After. Its error is dropped, because it may
        # quote the body.
        pass
    raise UnreadableReplyError()


def _expect_no_content(reply):
    # A proxy's page is a 200, and would pass for the end of a session that goes on.
    if reply["ResponseMetadata"]["HTTPStatusCode"] != 204:
        raise UnreadableReplyError()
