"""`python -m services.call_type`: run the service."""

from services.call_type.app import create_app
from services.call_type.settings import Settings
from services.common.process import run

run(create_app, Settings)
