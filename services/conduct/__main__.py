"""`python -m services.conduct`: run the service."""

from services.common.process import run
from services.conduct.app import create_app
from services.conduct.settings import Settings

run(create_app, Settings)
