"""Sends one offer to the API and prints the answer, to try a deployment from a terminal:

    python3 -m reconnection_client <API> <stream group> <stream session> <file with the offer> [user id]
"""

import sys

from . import create_reconnection_client, reconnect

if len(sys.argv) not in (5, 6):
    sys.exit(__doc__)
api, group, session, offer_file, *user = sys.argv[1:]
# A byte order mark, as PowerShell writes it, is no part of the offer.
with open(offer_file, encoding="utf-8-sig") as file:
    offer = file.read().strip()
print(reconnect(create_reconnection_client(api), group, session, offer, *user))
