"""`python -m services.records`: run the service."""

from services.common.process import run
from services.records.app import create_app
from services.records.settings import Settings

run(create_app, Settings)
