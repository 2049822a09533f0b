"""What is known: facts to add and to search, and the agents that use them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from api.parts import Agents, Knowledge
from api.resources import AgentView, FactView, NewFact
from api.routes.fields import Id, Limit, allowed, found


def router(knowledge: Knowledge) -> APIRouter:
    routes = APIRouter(prefix="/v1/knowledge", tags=["knowledge"])

    @routes.get("")
    async def search_knowledge(
        q: Annotated[str, Query(min_length=1, max_length=1000)],
        number: Annotated[
            str, Query(pattern=r"^(\+[1-9][0-9]{6,14})?$", description="also what is known of this person")
        ] = "",
        campaign: Annotated[str, Query(max_length=120, description="also what holds in this campaign")] = "",
        limit: Limit = 10,
    ) -> list[FactView]:
        """The facts nearest to a question, the best first."""
        return allowed(await knowledge.search(q, number=number, campaign=campaign, limit=limit))

    @routes.post("", status_code=201)
    async def add_fact(fact: NewFact) -> list[FactView]:
        """A fact for each paragraph; a newer value of the same key supersedes an older."""
        return allowed(await knowledge.add(fact))

    return routes


def agents_router(agents: Agents) -> APIRouter:
    routes = APIRouter(prefix="/v1/agents", tags=["agents"])

    @routes.get("")
    async def list_agents() -> list[AgentView]:
        """The agents of OFFHOOK_AGENTS, as they are now."""
        return agents.list()

    @routes.get("/{name}")
    async def get_agent(name: Id) -> AgentView:
        return found(agents.get(name), "no_such_agent")

    return routes
