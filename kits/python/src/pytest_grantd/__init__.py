"""grantd as a test identity provider. The fixtures are in `plugin`; `Grantd` also works without pytest."""

from .battery import Case, Verdict
from .control import GrantdError
from .grantd import Client, Clock, Grantd
from .steering import Fault, Faults, Request, Waste

__all__ = ["Case", "Client", "Clock", "Fault", "Faults", "Grantd", "GrantdError", "Request", "Verdict", "Waste"]
