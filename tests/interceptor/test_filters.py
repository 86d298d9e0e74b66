import pytest
from mitmproxy.test import tflow

from addon.interceptor.filters import check_filter, matcher


def test_expressions_are_checked():
    assert check_filter("~m POST & ~hq x-team") is None
    assert check_filter("~q ~(") is not None


@pytest.mark.parametrize(("expression", "expected"), [("~m GET", True), ("~m POST", False)])
def test_flows_are_matched(expression, expected):
    assert matcher(tflow.tflow())(expression) is expected
