"""The service's own boto3 client, on this API instead of on Amazon GameLift Streams.

All that a backend in Python has to change. In the cloud API Gateway takes signatures for `execute-api` only, while
boto3 signs for `gameliftstreams`. Credentials are found as ever. Needs a boto3 that knows the operation. To try it:

    python3 clients/python/reconnection_client.py <API> <stream group> <stream session> <file with the offer> [user id]
"""

import sys

import boto3


def reconnection_client(endpoint_url, user_id=None, **options):
    """A boto3 client of gameliftstreams for the API at `endpoint_url`, which has the stage in it.

    Such as https://a1b2c3d4e5.execute-api.us-west-2.amazonaws.com/dev. `user_id` is who asks, as the session's UserId
    says it, where the API checks that (`userIdCheck`); then every player needs a client.
    """
    client = boto3.client("gameliftstreams", endpoint_url=endpoint_url, **options)

    def for_this_api(request, **_):
        # botocore reads this context after the event "before-sign" (botocore/signers.py, RequestSigner.sign).
        signing = {**request.context.get("signing", {}), "signing_name": "execute-api"}
        request.context["signing"] = signing
        if user_id is not None:
            request.headers["x-user-id"] = user_id

    client.meta.events.register("before-sign.gameliftstreams", for_this_api)
    return client


def reconnect(client, stream_group, stream_session, signal_request):
    """Asks for the answer to a player's offer. The client's own retries keep the ClientToken."""
    reply = client.create_stream_session_connection(
        Identifier=stream_group,
        StreamSessionIdentifier=stream_session,
        SignalRequest=signal_request,
    )
    return reply["SignalResponse"]


if __name__ == "__main__":
    api, group, session, offer_file, *user = sys.argv[1:]
    # A byte order mark, as PowerShell writes it, is no part of the offer.
    with open(offer_file, encoding="utf-8-sig") as file:
        offer = file.read().strip()
    print(reconnect(reconnection_client(api, user[0] if user else None), group, session, offer))
