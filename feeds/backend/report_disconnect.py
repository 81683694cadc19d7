"""A game's backend reports that a session has lost its client, at once.

Needs `events:PutEvents` on the bus, and boto3. To try it:

    python3 feeds/backend/report_disconnect.py <bus> <stream group id> <stream session id> [timeout in seconds]
"""

import json
import sys
from datetime import datetime, timezone

import boto3


def report_disconnect(events, bus_name, stream_group_id, stream_session_id, disconnected_at, timeout_seconds=None):
    """Sends the event. `disconnected_at` is an aware datetime; two seconds off do no harm.

    Raises RuntimeError when EventBridge has not taken the event: PutEvents answers 200 even then.
    Sending it again is harmless.
    """
    detail = {
        "version": "1",
        "streamGroupId": stream_group_id,
        "streamSessionId": stream_session_id,
        "status": "PENDING_CLIENT_RECONNECTION",
        "statusChangedAt": disconnected_at.astimezone(timezone.utc).isoformat(timespec="milliseconds"),
    }
    if timeout_seconds is not None:
        # What the session was started with: it makes the deadline exact from the start.
        detail["connectionTimeoutSeconds"] = timeout_seconds
    result = events.put_events(
        Entries=[
            {
                "EventBusName": bus_name,
                # The deployment's eventSource parameter.
                "Source": "stream-session-reconnection",
                "DetailType": "Stream Session Status Change",
                "Detail": json.dumps(detail),
            }
        ]
    )
    for entry in result["Entries"]:
        if "ErrorCode" in entry:
            raise RuntimeError(f"EventBridge refused the event: {entry['ErrorCode']}")


if __name__ == "__main__":
    bus, group, session, *timeout = sys.argv[1:]
    report_disconnect(
        boto3.client("events"),
        bus,
        group,
        session,
        datetime.now(timezone.utc),
        int(timeout[0]) if timeout else None,
    )
