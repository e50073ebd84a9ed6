"""`python -m services.escalation`: run the service."""

from services.common.process import run
from services.escalation.app import create_app
from services.escalation.settings import Settings

run(create_app, Settings)
