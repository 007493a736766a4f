"""Uses the kit until it is killed."""

import time

from pytest_grantd import Grantd

print("control", Grantd().call.url, flush=True)
time.sleep(600)
