"""Everything that can go wrong in the compliance room. A refusal to call is a value (`Refused`), never one of these.

ComplianceError
 +-- RuleFileError      a rule file that cannot be used: the gate stays closed until it is mended
 +-- ListError          a do-not-call list
 |    +-- ListRefused        a file that must not become a generation; the old one stays in force
 |    +-- ListBusy           another process is loading this list
 |    +-- ListDamaged        a generation on disk that is not what its manifest says
 +-- LedgerError        a consent or revocation that cannot be recorded
 +-- ReceiptError       a chain of receipts that does not verify
 +-- CaseFileError      a file of decision cases that cannot be read
"""

from __future__ import annotations


class ComplianceError(Exception):
    """Something in the compliance room failed; `code` is stable, the message says what to do."""

    code = "compliance"


class RuleFileError(ComplianceError):
    """A rule file cannot be used: the message names the file, the entry and the field."""

    code = "rule_file"


class ListError(ComplianceError):
    """A do-not-call list could not be loaded or read."""

    code = "list"


class ListRefused(ListError):
    """The file was refused whole; the generation in force is untouched."""

    code = "list_refused"


class ListBusy(ListError):
    """Another process is loading this list; try again when it has finished."""

    code = "list_busy"


class ListDamaged(ListError):
    """A generation on disk is not what its manifest says; load the list again."""

    code = "list_damaged"


class LedgerError(ComplianceError):
    """A consent or revocation cannot be recorded as given."""

    code = "ledger"


class ReceiptError(ComplianceError):
    """The chain of receipts does not verify."""

    code = "receipt"


class CaseFileError(ComplianceError):
    """A file of decision cases cannot be read."""

    code = "case_file"
