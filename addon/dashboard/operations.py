"""All operations of the API."""

from addon.dashboard import (
    exchange_operations,
    model_operations,
    provider_operations,
    rule_operations,
    status_operations,
    usage_operations,
)
from addon.dashboard.routing import Router

ROUTER = Router(
    status_operations.ROUTES,
    exchange_operations.ROUTES,
    rule_operations.ROUTES,
    model_operations.ROUTES,
    provider_operations.ROUTES,
    usage_operations.ROUTES,
)
