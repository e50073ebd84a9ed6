"""`python -m services.embedding`: run the service."""

from services.common.process import run
from services.embedding.app import create_app
from services.embedding.settings import Settings

run(create_app, Settings)
