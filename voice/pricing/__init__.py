"""What a call used and what that costs: consumption, a dated price table that the operator may edit, budgets.

All pure but `meter`, which watches the process.
"""
