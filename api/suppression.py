"""A person's no, from wherever it comes: written, widened by the setting and obeyed by every plan, in one transaction."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from compliance.proposals import DncRequest, Suppression
from compliance.scope import Scope, Scopes, reaching
from compliance.store import ComplianceStore
from dialer.campaign import TOOK_BACK
from dialer.orders import cancel_number
from dialer.stores.sql import SqlWork


class Suppressor:
    """Writes wishes to be left alone. A running dialer, here or elsewhere, learns from the log what rings and must not."""

    def __init__(self, compliance: ComplianceStore, scopes: Scopes) -> None:
        self._compliance = compliance
        self._scopes = scopes

    async def do_not_call(
        self, connection: AsyncConnection, request: DncRequest, at: datetime, purpose: str = "", scope: Scope | None = None
    ) -> Suppression:
        """On our own list, for good. `purpose`: of the call in which it was said; `scope`: instead of the setting's."""
        done = await self._compliance.opt_out(connection, self._reaching(request, at, purpose, scope), at)
        return await _call_off(connection, done, "opted_out", at)

    async def revoke(
        self, connection: AsyncConnection, request: DncRequest, at: datetime, purpose: str = "", scope: Scope | None = None
    ) -> Suppression:
        """Consent taken back: whoever agrees again may be called again."""
        done = await self._compliance.revoke(connection, self._reaching(request, at, purpose, scope), at)
        return await _call_off(connection, done, TOOK_BACK, at)

    def _reaching(self, request: DncRequest, at: datetime, purpose: str, scope: Scope | None) -> DncRequest:
        chosen = scope or self._scopes.of(request.seller)
        return reaching(request, chosen, purpose, at, self._compliance.rules)


async def _call_off(connection: AsyncConnection, done: Suppression, reason: str, at: datetime) -> Suppression:
    work = SqlWork(connection)
    for number in done.numbers:
        await cancel_number(work, number, reason, at, done.seller, done.purposes)
    return done
