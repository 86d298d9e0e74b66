"""All operations of the API."""

from addon.dashboard import rule_operations, status_operations
from addon.dashboard.routing import Router

ROUTER = Router(status_operations.ROUTES, rule_operations.ROUTES)
