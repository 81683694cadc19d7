"""The game process inside a session reports its own lost clients: the service pushes them to its data channel.

The session must be started with a role (StartStreamSession, RoleArn) that allows `events:PutEvents` on the bus;
the service then gives the application its credentials, and names the role's session after the stream session.
A game has one data channel connection, for its whole life: build this into the code that reads it. As it is, it
serves a game that has none.

    python3 feeds/game-process/report_disconnects.py <bus> [port]
"""

import json
import queue
import random
import re
import socket
import sys
import threading
import time
from datetime import datetime, timezone

import boto3

DATA_CHANNEL_PORT = 40712
CLIENT_DISCONNECTED = 1
# No session waits longer for its client (ConnectionTimeoutSeconds is 3,600 s at most).
REPORT_LIFETIME_SECONDS = 3600
# A session whose client is lost every ten seconds reaches this after a quarter of an hour without the bus.
MAX_WAITING_REPORTS = 100
FIRST_RETRY_SECONDS = 1
MAX_RETRY_SECONDS = 30
# The game has ended, and its session with it: what has not been taken by then is of no use.
LAST_REPORTS_SECONDS = 10


def retry_delays(jitter=random.random):
    """Yields the seconds to wait before each next attempt: twice as long each time up to a cap, with full jitter."""
    seconds = FIRST_RETRY_SECONDS
    while True:
        yield jitter() * seconds
        seconds = min(2 * seconds, MAX_RETRY_SECONDS)


def tell(line):
    print(line, file=sys.stderr, flush=True)


def own_session(sts, sleep=time.sleep):
    """Stream group and session, from the role's session name: streamsession_<group>_<session>_<application>.

    Asks until STS replies. Raises RuntimeError when the credentials are not those of a stream session.
    """
    for delay_seconds in retry_delays():
        try:
            name = sts.get_caller_identity()["Arn"].rsplit("/", 1)[1]
            break
        except Exception as error:  # The game goes on, and so does its feed.
            tell(f"The session's own name is not known yet: {error}")
            sleep(delay_seconds)
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


def send_report(events, bus_name, detail):
    """Sends one report. Raises RuntimeError when EventBridge has not taken it: PutEvents answers 200 even then."""
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


class Reporter:
    """Sends reports in a thread of its own, so that the data channel is read even while the bus is away.

    A report that fails is sent again, with full jitter and a cap; sending it twice is harmless. After an hour it is
    dropped. When more than MAX_WAITING_REPORTS wait, the oldest is dropped. Each drop is written to stderr.
    """

    def __init__(self, send, sleep=time.sleep, now=time.monotonic, jitter=random.random):
        self._send = send
        self._sleep = sleep
        self._now = now
        self._jitter = jitter
        self._waiting = queue.Queue(MAX_WAITING_REPORTS)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def report(self, detail):
        self._put((self._now(), detail))

    def finish(self, timeout_seconds=LAST_REPORTS_SECONDS):
        """Waits until everything is sent, for `timeout_seconds` at most."""
        self._put(None)
        self._thread.join(timeout_seconds)
        if self._thread.is_alive():
            tell(f"The event bus has not taken every report within {timeout_seconds} s; the rest is dropped.")

    def _put(self, item):
        while True:
            try:
                return self._waiting.put_nowait(item)
            except queue.Full:
                try:
                    self._waiting.get_nowait()
                    tell("Too many reports wait for the event bus; the oldest was dropped.")
                except queue.Empty:
                    pass

    def _run(self):
        while (item := self._waiting.get()) is not None:
            self._send_until_taken(*item)

    def _send_until_taken(self, reported_at, detail):
        for delay_seconds in retry_delays(self._jitter):
            try:
                return self._send(detail)
            except Exception as error:  # The next attempt may work, and the game goes on.
                tell(f"The report of {detail['statusChangedAt']} was not taken and is sent again: {error}")
            self._sleep(delay_seconds)
            if self._now() - reported_at >= REPORT_LIFETIME_SECONDS:
                return tell(f"The report of {detail['statusChangedAt']} was dropped after {REPORT_LIFETIME_SECONDS} s.")


def report_disconnects(channel, reporter, stream_group_id, stream_session_id):
    """Reports each client that the data channel says is lost, until the channel closes."""
    for _client_id, event_type, _data in data_channel_events(channel):
        if event_type != CLIENT_DISCONNECTED:
            continue
        reporter.report(
            {
                "version": "1",
                "streamGroupId": stream_group_id,
                "streamSessionId": stream_session_id,
                "status": "PENDING_CLIENT_RECONNECTION",
                "statusChangedAt": datetime.now(timezone.utc).isoformat(timespec="milliseconds"),
            }
        )


if __name__ == "__main__":
    bus, *port = sys.argv[1:]
    group, session = own_session(boto3.client("sts"))
    event_bus = boto3.client("events")
    sender = Reporter(lambda detail: send_report(event_bus, bus, detail))
    try:
        with socket.create_connection(("localhost", int(port[0]) if port else DATA_CHANNEL_PORT)) as connection:
            report_disconnects(connection, sender, group, session)
    finally:
        sender.finish()
