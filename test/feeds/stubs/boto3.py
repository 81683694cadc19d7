"""Stands in for boto3: prints what would be sent, and answers as AWS does.

STUB_FAULTS names what the first calls of PutEvents and GetCallerIdentity meet, in turn, separated by commas: `refused`
(a 200 that says that the event was not taken) or `raises`.
"""

import json
import os


_faults = [fault for fault in os.environ.get("STUB_FAULTS", "").split(",") if fault]


def _next_fault():
    fault = _faults.pop(0) if _faults else None
    if fault == "raises":
        raise ConnectionError("The connection was closed.")
    return fault


class _Events:
    def put_events(self, Entries):
        if _next_fault() == "refused":
            return {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "InternalFailure"}]}
        print(json.dumps(Entries), flush=True)
        return {"FailedEntryCount": 0, "Entries": [{"EventId": "event-1"}]}


class _Sts:
    def get_caller_identity(self):
        _next_fault()
        return {"Arn": os.environ["STUB_CALLER_ARN"]}


def client(name):
    return {"events": _Events, "sts": _Sts}[name]()
