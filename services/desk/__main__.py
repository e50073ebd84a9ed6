"""`python -m services.desk`: run the service."""

from services.common.process import run
from services.desk.app import create_app
from services.desk.settings import Settings

run(create_app, Settings)
