"""`python -m services.knowledge`: run the service."""

from services.common.process import run
from services.knowledge.app import create_app
from services.knowledge.settings import Settings

run(create_app, Settings)
