"""`python -m services.media`: run the service."""

from services.common.process import run
from services.media.app import create_app
from services.media.settings import Settings

run(create_app, Settings)
