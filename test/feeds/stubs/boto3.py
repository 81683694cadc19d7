"""Stands in for boto3: prints what would be sent, and answers as AWS does."""

import json
import os


class _Events:
    def put_events(self, Entries):
        print(json.dumps(Entries), flush=True)
        if "STUB_REFUSES" in os.environ:
            return {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "InternalFailure"}]}
        return {"FailedEntryCount": 0, "Entries": [{"EventId": "event-1"}]}


class _Sts:
    def get_caller_identity(self):
        return {"Arn": os.environ["STUB_CALLER_ARN"]}


def client(name):
    return {"events": _Events, "sts": _Sts}[name]()
