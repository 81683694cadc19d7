"""The game process inside a session reports its own lost clients: the service pushes them to its data channel.

The session must be started with a role (StartStreamSession, RoleArn) that allows `events:PutEvents` on the bus;
the service then gives the application its credentials, and names the role's session after the stream session.
A game has one data channel connection, for its whole life: build this into the code that reads it. As it is, it
serves a game that has none.

    python3 feeds/game-process/report_disconnects.py <bus> [port]
"""

import json
import re
import socket
import sys
from datetime import datetime, timezone

import boto3

DATA_CHANNEL_PORT = 40712
CLIENT_DISCONNECTED = 1


def own_session(sts):
    """Stream group and session, from the role's session name: streamsession_<group>_<session>_<application>."""
    name = sts.get_caller_identity()["Arn"].rsplit("/", 1)[1]
    match = re.fullmatch(r"streamsession_(sg-[A-Za-z0-9]+)_([A-Za-z0-9-]+)_a-[A-Za-z0-9]+", name)
    if match is None:
        raise RuntimeError("The credentials are not those of a stream session.")
    return match.group(1), match.group(2)


def read_exactly(channel, size):
    data = b""
    while len(data) < size:
        part = channel.recv(size - len(data))
        if not part:
            return None
        data += part
    return data


def data_channel_events(channel):
    """Yields (client id, event type, data) until the channel closes.

    Developer Guide, "Data channels": a byte each for client id and event type, two for the length of the data
    (big-endian), and the data. Unknown types are to be ignored, and their data is to be read all the same.
    """
    while (header := read_exactly(channel, 4)) is not None:
        data = read_exactly(channel, int.from_bytes(header[2:4], "big"))
        if data is None:
            return
        yield header[0], header[1], data


def report_disconnects(channel, events, bus_name, stream_group_id, stream_session_id):
    for _client_id, event_type, _data in data_channel_events(channel):
        if event_type != CLIENT_DISCONNECTED:
            continue
        detail = {
            "version": "1",
            "streamGroupId": stream_group_id,
            "streamSessionId": stream_session_id,
            "status": "PENDING_CLIENT_RECONNECTION",
            "statusChangedAt": datetime.now(timezone.utc).isoformat(timespec="milliseconds"),
        }
        events.put_events(
            Entries=[
                {
                    "EventBusName": bus_name,
                    "Source": "stream-session-reconnection",
                    "DetailType": "Stream Session Status Change",
                    "Detail": json.dumps(detail),
                }
            ]
        )


if __name__ == "__main__":
    bus, *port = sys.argv[1:]
    group, session = own_session(boto3.client("sts"))
    with socket.create_connection(("localhost", int(port[0]) if port else DATA_CHANNEL_PORT)) as connection:
        report_disconnects(connection, boto3.client("events"), bus, group, session)
