"""What all rules have in common."""

from importlib import import_module

import pytest

from series.contract import RULES, promise
from tests.contract.small import BROKEN, KEPT


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_says_what_it_promises_and_where_that_comes_from(rule: str) -> None:
    words = RULES[rule].__doc__ or ""
    assert promise(rule).endswith(".")
    assert "Found out" in words
    assert "Source: https://" in words


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_has_small_projects_that_keep_it_and_that_break_it(rule: str) -> None:
    test = import_module(f"tests.contract.test_{rule.replace('-', '_')}").test_a_project_is_judged
    assert test.rule == rule
    assert {KEPT, BROKEN} <= {verdict for _, verdict, _ in test.projects}
